"""What can't be an event gets its row in violations, and its neighbours are loaded."""

import json

import pytest

GOOD = {"type": "track", "event": "Good", "userId": "u"}


def line(properties='{"a":1}', **fields):
    event = json.dumps({**GOOD, "event": "Bad", **fields})
    return (event[:-1] + ',"properties":' + properties + "}").encode()


BAD = {
    "torn": (b'{"type":"track","event":"A', "malformed", "not valid JSON"),
    "utf-16": (b"\xff\xfe{}", "malformed", "not valid JSON"),
    "not utf-8": (line('{"a":"\xff"}').replace(b"\xc3\xbf", b"\xff"), "malformed", "UTF-8"),
    "no json": (b"hello", "malformed", "not valid JSON"),
    "array": (b"[1,2]", "malformed", "found an array; an event is a JSON object"),
    "text": (b'"text"', "malformed", "found str"),
    "null": (b"null", "malformed", "found NoneType"),
    "number": (b"12", "malformed", "found int"),
    "nan": (line('{"a":NaN}'), "malformed", "not valid JSON"),
    "infinity": (line('{"a":Infinity}'), "malformed", "not valid JSON"),
    "float too large": (line('{"a":1e999}'), "malformed", "out of range"),
    "depth 201": (line('{"a":' + "[" * 201 + "]" * 201 + "}"), "malformed", "nested too deep"),
    "depth 900": (line('{"a":' + "[" * 900 + "]" * 900 + "}"), "malformed", "nested too deep"),
    "depth 10,000": (
        line('{"a":' + "[" * 10_000 + "]" * 10_000 + "}"),
        "malformed",
        "nested too deep",
    ),
    "depth 10,000 of objects": (
        line('{"a":' * 10_000 + "1" + "}" * 10_000),
        "too_large",
        "nested too deep",
    ),
    "1 MB": (line(json.dumps({"a": "x" * 1_000_000})), "too_large", "an event may have 32768"),
    "unknown type": (line(type="purchase"), "malformed", "'purchase' is not a call"),
    "type is an array": (line(type=["track"]), "malformed", "is not a call"),
    "no ids": (line(userId=None), "no_identity", "neither userId nor anonymousId"),
    "empty ids": (line(userId="", anonymousId=""), "no_identity", "neither userId nor anonymousId"),
    "empty name": (line(event=""), "no_event", "not an event's name"),
    "no name": (line(event=None), "no_event", "not an event's name"),
}


@pytest.mark.parametrize(("bad", "rule", "said"), BAD.values(), ids=BAD)
def test_a_bad_line_is_kept_back_and_its_neighbours_are_loaded(
    workspace, load, raw, bad, rule, said
):
    report = load({**GOOD, "messageId": "1"}, bad, {**GOOD, "messageId": "2"})

    assert (report.events_in, report.accepted, report.blocked) == (3, 2, 1)
    ((found_rule, message, action, source),) = raw(
        workspace, "select rule, message, action, source_id from raw.violations"
    )
    assert (found_rule, action, source) == (rule, "block", "file")
    assert said in message
    assert raw(workspace, "select id from raw.good order by _seq") == [("1",), ("2",)]
    assert report.example


def test_what_stood_in_a_torn_line_is_kept(workspace, load, raw):
    load('{"event":"Заказ'.encode()[:-1] + b"\xff", b'[{"a":1}]')

    payloads = raw(workspace, "select payload from raw.violations order by message_id")
    texts = {json.loads(payload) for (payload,) in payloads}
    assert texts == {'{"event":"Зака\\xd0\\xff', '[{"a":1}]'}


def test_what_stood_for_the_properties_of_a_blocked_event_is_kept(workspace, load, raw):
    load({"type": "track", "event": "Order Completed", "userId": "u", "properties": "oops"})

    payloads = raw(workspace, "select distinct payload from raw.violations")
    assert [json.loads(payload)["properties"] for (payload,) in payloads] == ["oops"]


def test_a_line_of_200_levels_is_taken(workspace, load, raw):
    nested = "[" * 198 + "]" * 198

    assert load(line('{"a":' + nested + "}")).accepted == 1
    assert raw(workspace, "select a from raw.bad") == [(nested,)]


def test_many_brackets_are_not_depth(load):
    assert load(line(json.dumps({"a": [[{}]] * 3_000}))).accepted == 1


def test_a_line_longer_than_memory_should_hold_is_cut_and_kept_back(workspace, load, raw):
    endless = b'{"a":"' + b"x" * 20_000_000 + b'"}'

    report = load(endless, {**GOOD, "messageId": "after"})

    assert (report.accepted, report.blocked) == (1, 1)
    assert raw(workspace, "select rule from raw.violations") == [("too_large",)]
    assert raw(workspace, "select id from raw.good") == [("after",)]


@pytest.mark.parametrize(
    "value", ["9223372036854775808", "123456789012345678901234567890", "-9223372036854775809"]
)
def test_an_integer_over_64_bit_is_rescued(workspace, load, raw, value):
    report = load(line('{"a":' + value + ',"b":1}'))

    assert report.accepted == 1
    ((b, rescued),) = raw(workspace, "select b, _rescued from raw.bad")
    assert b == 1
    assert rescued == '{"/properties/a":' + value + "}"


@pytest.mark.parametrize(
    ("event", "table"),
    [
        ("'; drop table raw.tracks; --", "drop_table_raw_tracks"),
        ('"; select 1 --', "select_1"),
        ("../../x", "x"),
        ("x" * 300, None),
        ("Pages", "pages_event"),
        ("Loads", "loads_event"),
        ("Заказ оформлен", "zakaz_oformlen"),
        ("🎉", None),
        ("a\x00b", "a_b"),
        ("select", "select"),
    ],
)
def test_an_event_of_any_name_has_its_table_and_nothing_else_changes(
    workspace, load, raw, event, table
):
    report = load({**GOOD, "event": event, "properties": {event: 1}})

    assert report.accepted == 1
    ((name, text),) = raw(workspace, "select event, event_text from raw.tracks")
    assert text == event
    assert table in (name, None)
    assert raw(workspace, f'select event_text from raw."{name}"') == [(event,)]
    lake = {path.name for path in workspace.lake.iterdir()}
    assert lake == {name, "tracks", "loads", "schema_changes"}
    assert {p.name for p in workspace.root.iterdir()} == {"schemas", "headwater.yml", ".headwater"}


def test_a_batch_inside_a_line_is_its_events(workspace, load, raw):
    batch = {
        "batch": [
            {**GOOD, "messageId": "1", "context": {"ip": "own"}},
            {**GOOD, "messageId": "2", "userId": None},
            5,
            {**GOOD, "messageId": "3", "event": "Other"},
        ],
        "context": {"ip": "shared"},
        "receivedAt": "2024-05-01T10:00:00Z",
        "sentAt": "2024-05-01T09:00:00Z",
    }

    report = load(batch, {"batch": []})

    assert (report.lines, report.events_in, report.accepted, report.blocked) == (2, 4, 2, 2)
    assert raw(
        workspace,
        "select id, context_ip, sent_at::varchar, _date::varchar from raw.tracks order by _seq",
    ) == [
        ("1", "own", "2024-05-01 09:00:00+00", "2024-05-01"),
        ("3", "shared", "2024-05-01 09:00:00+00", "2024-05-01"),
    ]
    assert raw(workspace, "select rule, message_id from raw.violations order by 1 desc")[0] == (
        *("no_identity", "2"),
    )


def test_one_large_event_does_not_condemn_its_batch(workspace, load, raw):
    large = {**GOOD, "messageId": "large", "properties": {"a": "x" * 40_000}}

    report = load({"batch": [{**GOOD, "messageId": "small"}, large]})

    assert (report.accepted, report.blocked) == (1, 1)
    assert raw(workspace, "select message_id, rule from raw.violations") == [("large", "too_large")]


def test_an_id_that_is_no_text_is_replaced_and_kept(workspace, load, raw):
    load({**GOOD, "messageId": {"a": 1}}, {**GOOD, "messageId": 7}, {**GOOD, "messageId": None})

    (first, second, third) = raw(workspace, "select id, _rescued from raw.good order by _seq")
    assert first[0].startswith("file-")
    assert first[1] == '{"/messageId":{"a":1}}'
    assert second == ("7", None)
    assert third[0].startswith("file-")
    assert third[1] is None
