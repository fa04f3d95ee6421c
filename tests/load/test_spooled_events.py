"""What becomes of events of the spool: their ids, calls, times, addresses, sources."""

import json

import pytest

from loader.errors import ConfigError
from tests.load.spooled import DAY, at, batch, ids, track
from tests.spool.place import line

BAD_EVENTS = {
    "too large": (json.dumps(track("bad", properties={"a": "x" * 40_000})), "too_large"),
    "a number": ("5", "malformed"),
    "null": ("null", "malformed"),
    "201 deep": ('{"type":"track","a":' + "[" * 201 + "]" * 201 + "}", "malformed"),
    "800 deep": ('{"type":"track","a":' + "[" * 800 + "]" * 800 + "}", "malformed"),
    "not UTF-8": ('{"type":"track","a":"\xff"}', "malformed"),
    "no identity": ('{"type":"track","event":"A"}', "no_identity"),
    "no event": ('{"type":"track","userId":"u"}', "no_event"),
    "no type": ('{"userId":"u"}', "malformed"),
}


@pytest.mark.parametrize("is_spooled", [True, False])
@pytest.mark.parametrize(("bad", "rule"), BAD_EVENTS.values(), ids=BAD_EVENTS)
def test_one_bad_event_does_not_take_its_batch_with_it(
    workspace, spool, load_spool, load, raw, bad, rule, is_spooled
):
    good = [json.dumps(track(name)) for name in ("1", "2")]
    body = f'{{"batch":[{good[0]},{bad},{good[1]}],"sentAt":"{at(0)}"}}'.encode("latin-1")

    if is_spooled:
        spool(line(body))
        report = load_spool()
    else:
        report = load(body)

    assert (report.events_in, report.accepted, report.blocked) == (3, 2, 1)
    assert ids(raw, workspace) == ["1", "2"]
    assert raw(workspace, "select rule from raw.violations") == [(rule,)]


@pytest.mark.parametrize("is_spooled", [True, False])
@pytest.mark.parametrize("wrap", [lambda event: event, lambda event: b'{"batch":[%b]}' % event])
def test_half_an_emoji_becomes_the_replacement_character(
    workspace, spool, load_spool, load, raw, wrap, is_spooled
):
    text = rb'"a \ud83d b \ud83d\ude00 \\ud83d"'
    event = (
        b'{"messageId":"1","type":"track","event":"A","userId":"u","properties":{"t":%b}}' % text
    )

    if is_spooled:
        spool(line(wrap(event), **({} if wrap(event) != event else {"type": "track"})))
        report = load_spool()
    else:
        report = load(wrap(event))

    assert report.accepted == 1
    assert raw(workspace, "select t from raw.a") == [("a \ufffd b 😀 \\ud83d",)]


def test_a_batch_of_thousands_and_of_megabytes_is_loaded(workspace, spool, load_spool, raw):
    many = batch(*(track(f"m{n}", properties={"pad": "x" * 950}) for n in range(5_000)))
    assert len(json.dumps(many)) > 5_000_000
    spool(line(many), line(track("after")))

    report = load_spool()

    assert (report.lines, report.accepted) == (2, 5_001)


def test_an_event_knows_its_call_from_its_own_type_then_from_the_path(
    workspace, spool, load_spool, raw
):
    spool(
        line({"userId": "u", "messageId": "1", "name": "Home"}, type="screen"),
        line(
            {"userId": "u", "messageId": "2", "traits": {"a": 1}, "type": "group"}, type="identify"
        ),
        line({"userId": "u", "messageId": "3", "traits": {"a": 1}, "type": 5}, type="group"),
    )

    assert load_spool().accepted == 3
    assert raw(workspace, "select id from raw.screens") == [("1",)]
    assert raw(workspace, "select id from raw.groups order by id") == [("2",), ("3",)]


def test_when_it_was_received_the_collector_says_and_not_the_event(
    workspace, spool, load_spool, raw
):
    times = {"sentAt": at(1), "originalTimestamp": at(0), "receivedAt": "2020-01-01T00:00:00Z"}
    spool(line(track("1", **times), at=at(9), type="track"))

    load_spool()

    assert raw(
        workspace, "select received_at::varchar, timestamp::varchar, _date::varchar from raw.tracks"
    ) == [(f"{DAY} 10:00:09+00", f"{DAY} 10:00:08+00", DAY)]


NODE, BROWSER = {"library": {"name": "analytics-node"}}, {"library": {"name": "analytics.js"}}


@pytest.mark.parametrize(
    ("context", "head", "shared", "found"),
    [
        (NODE, {}, {}, None),
        ({}, {}, {}, None),
        (NODE, {"browser": True}, {}, "9.9.9.9"),
        (BROWSER, {}, {}, "9.9.9.9"),
        ({"library": {"name": "analytics-ios"}}, {}, {}, "9.9.9.9"),
        ({"direct": True}, {}, {}, "9.9.9.9"),
        ({}, {}, BROWSER, "9.9.9.9"),
        (NODE, {}, BROWSER, None),
        ({**BROWSER, "ip": "1.2.3.4"}, {"browser": True}, {}, "1.2.3.4"),
        ({}, {"browser": True}, {"ip": "5.6.7.8"}, "5.6.7.8"),
        (BROWSER, {"ip": None}, {}, None),
        ("oops", {"browser": True}, {}, "9.9.9.9"),
    ],
)
def test_a_client_sides_event_gets_the_senders_address_and_a_servers_never(
    workspace, spool, load_spool, raw, context, head, shared, found
):
    body = batch(track("1", context=context), context=shared)
    has_column = line(track("2", context={"ip": "0.0.0.0"}))
    spool(line(body, **{"ip": "9.9.9.9", **head}), has_column)

    load_spool()

    assert raw(workspace, "select context_ip from raw.tracks where id = '1'") == [(found,)]


@pytest.fixture
def keys(monkeypatch):
    monkeypatch.setenv("WEB_WRITE_KEY", "web-key")
    monkeypatch.setenv("SERVER_WRITE_KEY", "server-key")


def test_a_source_is_what_the_collector_found_else_whose_key_the_event_names(
    workspace, spool, load_spool, raw, keys
):
    spool(
        line(track("1", writeKey="server-key"), source="web"),
        line(
            batch(
                track("2", writeKey="server-key"),
                track("3", writeKey="web-key"),
                track("4", writeKey="nobodys-key"),
                track("5", writeKey=""),
                track("6"),
            ),
            source=None,
        ),
    )

    report = load_spool()

    assert (report.accepted, report.blocked) == (3, 3)
    assert raw(workspace, "select id, source_id from raw.tracks order by id") == [
        *(("1", "web"), ("2", "server"), ("3", "web")),
    ]
    assert raw(
        workspace, "select message_id, rule, action, source_id from raw.violations order by 1"
    ) == [
        ("4", "unknown_write_key", "block", "collector"),
        ("5", "unknown_write_key", "block", "collector"),
        ("6", "unknown_write_key", "block", "collector"),
    ]
    for path in workspace.home.rglob("*"):
        if path.is_file():
            for key in (b"web-key", b"server-key", b"nobodys-key"):
                assert key not in path.read_bytes(), path


def test_while_a_key_is_not_in_the_environment_its_events_wait_in_the_spool(
    workspace, spool, load_spool, raw, keys, monkeypatch
):
    spool(line(batch(track("1", writeKey="web-key")), source=None))
    monkeypatch.delenv("WEB_WRITE_KEY")

    with pytest.raises(ConfigError, match="WEB_WRITE_KEY is not set"):
        load_spool()

    monkeypatch.setenv("WEB_WRITE_KEY", "web-key")
    assert load_spool().accepted == 1


def test_a_batch_of_many_nothings_is_kept_back_whole(workspace, spool, load_spool, raw):
    spool(line(b'{"batch":[' + b"1," * 24_999 + b"1]}"), line(track("after")))

    report = load_spool()

    assert (report.events_in, report.accepted, report.blocked) == (25_001, 1, 25_000)
    assert raw(
        workspace,
        "select count(*), count(distinct message_id), min(received_at)::varchar"
        " from raw.violations",
    ) == [(25_000, 25_000, f"{DAY} 10:00:00+00")]
