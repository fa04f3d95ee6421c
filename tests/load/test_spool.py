"""What a collector spooled becomes rows: each event once, whatever was spooled or left behind."""

import json
import threading
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loader.errors import Busy, ConfigError
from loader.load import load_files
from loader.locks import exclusive
from loader.spool import encode_line, sealed_segments
from loader.warehouse import read_manifest
from tests.conftest import make_workspace, read_raw
from tests.load.child import start_load
from tests.load.test_killed_load import unlisted
from tests.spool.place import line, padded, put

DAY = "2026-11-20"


def at(second):
    return f"{DAY}T10:00:{second:09.6f}Z"


def track(id_, event="A", **fields):
    return {"type": "track", "event": event, "userId": "u", "messageId": id_, **fields}


def batch(*events, **fields):
    return {"batch": list(events), **fields}


@pytest.fixture
def spool(workspace):
    """Puts lines into a segment of the workspace's spool."""

    def put_lines(*lines, **place):
        return put(workspace.spool, padded(*lines), **place)

    return put_lines


@pytest.fixture
def load_spool(workspace):
    return lambda: load_files(workspace, [])


def ids(raw, workspace):
    return [id_ for (id_,) in raw(workspace, "select id from raw.tracks order by _seq")]


def test_what_was_spooled_is_loaded_in_the_order_of_arrival_and_removed(
    workspace, spool, load_spool, raw
):
    spool(line(batch(track("1"), track("2")), at=at(1)), line(track("5"), at=at(4)), worker=0)
    spool(line(track("6"), at=at(5)), worker=0, number=2)
    spool(line(track("3"), at=at(2)), line(track("4"), at=at(3)), worker=1)

    report = load_spool()

    assert (report.lines, report.events_in, report.accepted) == (5, 6, 6)
    assert ids(raw, workspace) == ["1", "2", "3", "4", "5", "6"]
    assert raw(
        workspace, "select id, received_at::varchar from raw.tracks where id in ('2','3')"
    ) == [
        ("2", f"{DAY} 10:00:01+00"),
        ("3", f"{DAY} 10:00:02+00"),
    ]
    assert sealed_segments(workspace.spool) == []
    assert unlisted(workspace) == set()


def test_an_empty_spool_and_none_at_all_change_nothing(workspace, load_spool):
    assert load_spool().events_in == 0
    before = workspace.manifest.read_bytes()
    (workspace.spool / "0").mkdir(parents=True)

    report = load_spool()

    assert (report.events_in, report.load_id) == (0, None)
    assert workspace.manifest.read_bytes() == before


def test_files_are_loaded_without_a_look_at_the_spool(workspace, spool, load, load_spool, raw):
    spool(line(track("spooled")))

    load(track("filed"))

    assert ids(raw, workspace) == ["filed"]
    assert len(sealed_segments(workspace.spool)) == 1
    load_spool()
    assert ids(raw, workspace) == ["filed", "spooled"]


def test_a_source_by_option_speaks_of_files_only(workspace):
    with pytest.raises(ConfigError, match="--source without FILE"):
        load_files(workspace, [], source="web")


def test_an_event_is_loaded_once_across_segments_workers_and_loads(
    workspace, spool, load_spool, load, raw
):
    load(track("filed"))
    spool(line(track("1")), line(track("1")), line(track("filed")), worker=0)
    spool(line(batch(track("1"), track("2"))), worker=1)
    first = load_spool()
    spool(line(batch(track("2"), track("3"))), number=2)
    second = load_spool()

    assert (first.accepted, first.duplicates) == (2, 3)
    assert (second.accepted, second.duplicates) == (1, 1)
    assert ids(raw, workspace) == ["filed", "1", "2", "3"]


def test_segments_of_a_load_that_was_killed_before_it_removed_them_are_not_loaded_again(
    workspace, spool, load_spool, raw
):
    without_id = {"type": "track", "event": "A", "userId": "u"}
    lines = [line(without_id), line(batch(without_id, track("1")))]
    path = spool(*lines)
    load_spool()
    spool(*lines)  # as if the kill had come before
    another = spool(line(track("2")), number=2)

    report = load_spool()

    assert (report.events_in, report.accepted) == (1, 1)
    assert not path.exists()
    assert not another.exists()
    assert read_manifest(workspace).loaded_segments == [f"0/{another.stem}"]
    assert raw(workspace, "select count(*) from raw.tracks") == [(4,)]


def test_a_segment_read_again_gives_the_same_ids(workspace, tmp_path, spool, load_spool, raw):
    without_id = {"type": "track", "event": "A", "userId": "u"}
    lines = [line(without_id), line(without_id), line(batch(without_id, without_id, 5))]
    path = spool(*lines)
    first = load_spool()
    spool(*lines, worker=1)  # the same name elsewhere: not known as loaded

    again = load_spool()

    start = len(lines[0])
    assert (first.accepted, first.blocked) == (4, 1)
    assert (again.accepted, again.blocked, again.duplicates) == (0, 0, 5)
    assert ids(raw, workspace) == [
        f"http-{path.stem}-0",
        f"http-{path.stem}-{start}",
        f"http-{path.stem}-{2 * start}-0",
        f"http-{path.stem}-{2 * start}-1",
    ]
    assert raw(workspace, "select message_id from raw.violations") == [
        (f"http-{path.stem}-{2 * start}-2",)
    ]


def test_what_a_killed_collector_left_is_loaded(workspace, spool, load_spool, raw):
    spool(line(track("1")), line(track("2"))[:-9], suffix=".open")

    assert load_spool().accepted == 1
    assert ids(raw, workspace) == ["1"]
    assert list(workspace.spool.rglob("*.open")) == []


def test_a_load_has_what_a_living_collector_acknowledged_before_it(
    workspace, spool, load_spool, raw
):
    path = spool(line(track("1")), suffix=".open")

    def seal_once_asked():
        while not (workspace.spool / "seal").exists():
            threading.Event().wait(0.001)
        path.rename(path.with_suffix(".sealed"))

    with exclusive(path.parent / "lock", "collector worker"):
        worker = threading.Thread(target=seal_once_asked)
        worker.start()
        report = load_spool()
        worker.join()

    assert report.accepted == 1


def test_a_second_load_of_the_spool_says_that_one_is_at_work(workspace, spool, load_spool):
    spool(line(track("1")))
    with exclusive(workspace.home / "load.lock", "load"), pytest.raises(Busy):
        load_spool()

    assert load_spool().accepted == 1


def test_of_loads_of_the_spool_at_once_one_loads_it(workspace, spool, raw):
    spool(*(line(batch(*(track(f"{i}-{n}") for n in range(20)))) for i in range(200)))

    children = [start_load(workspace) for _ in range(3)]
    outcomes = [json.loads(child.communicate()[0]) for child in children]

    assert sum(outcome.get("accepted", 0) for outcome in outcomes) == 4_000
    assert {outcome.get("error", "Busy") for outcome in outcomes} == {"Busy"}
    assert raw(workspace, "select count(*), count(distinct id) from raw.tracks") == [(4_000, 4_000)]


def test_a_damaged_line_is_kept_back_and_its_neighbours_are_loaded(
    workspace, spool, load_spool, raw
):
    damaged = line(track("2", writeKey="a-secret")).replace(b'"A"', b'"B"')
    spool(line(track("1")), damaged, line(track("3")))

    report = load_spool()

    assert (report.events_in, report.accepted, report.blocked) == (3, 2, 1)
    assert ids(raw, workspace) == ["1", "3"]
    ((rule, message, source, payload),) = raw(
        workspace, "select rule, message, source_id, payload from raw.violations"
    )
    assert (rule, source) == ("malformed", "collector")
    assert "damaged on the disk" in message
    assert '"messageId": "2"' in json.loads(payload)
    assert "a-secret" not in payload


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
        ("oops", {"browser": True}, {}, None),
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


def test_progress_ends_at_the_size_of_the_spool(workspace, spool):
    path = spool(*(line(track(f"{n}", properties={"pad": "x" * 9_000})) for n in range(500)))
    size, told = path.stat().st_size, []

    load_files(workspace, [], progress=lambda *step: told.append(step))

    assert told == sorted(told)
    assert len(told) > 3
    assert told[-1] == (size, size)


GOOD = [track(str(n)) for n in range(4)] + [{"type": "page", "userId": "u", "messageId": "2"}]
BAD = [5, {"type": "page", "messageId": "6"}, {"type": "track", "userId": "u", "messageId": "7"}]
events = st.sampled_from(GOOD + BAD)
requests = st.tuples(
    st.integers(0, 2), st.integers(0, 9), st.lists(events, max_size=4), st.sampled_from("owd")
)


@settings(max_examples=20, deadline=None)
@given(loads=st.lists(st.lists(requests, max_size=6), min_size=1, max_size=3))
def test_what_comes_in_is_accepted_blocked_or_a_duplicate(tmp_path_factory, loads):
    workspace = make_workspace(tmp_path_factory.mktemp("spooled") / "workspace")
    reports, damaged_lines, sent = [], 0, []
    for number, requests in enumerate(loads):
        texts = Counter[int]()
        lines: dict[int, bytes] = {}
        for worker, second, found, state in requests:
            text = line(batch(*found), at=at(second))
            if state == "d":
                text = text.replace(b'"web"', b'"wab"')
                damaged_lines += 1
            else:
                sent += found
            lines[worker] = lines.get(worker, b"") + (padded(text) if state == "w" else text)
            texts[worker] += 1
        for worker, text in lines.items():
            put(workspace.spool, text, worker=worker, number=number)
        reports.append(load_files(workspace, []))

    assert all(r.events_in == r.accepted + r.blocked + r.duplicates for r in reports)
    assert sum(r.events_in for r in reports) == len(sent) + damaged_lines
    good = {event["messageId"] for event in sent if event in GOOD}
    assert sum(r.accepted for r in reports) == len(good)
    stored = read_raw(workspace, "select id from raw.tracks union all select id from raw.pages")
    assert sorted(id_ for (id_,) in stored) == sorted(good)
    seqs = read_raw(
        workspace,
        "select _seq, load_id, received_at from (select _seq, load_id, received_at from raw.tracks"
        " union all select _seq, load_id, received_at from raw.pages) order by _seq",
    )
    assert [seq for seq, *_ in seqs] == list(range(1, len(good) + 1))
    assert sealed_segments(workspace.spool) == []
    assert unlisted(workspace) == set()


def test_a_line_is_what_the_collector_writes(workspace, spool, load_spool):
    text = b"".join(
        encode_line({"receivedAt": at(1), "source": "web", "ip": None}, b'{"batch":[]}')
    )
    spool(text)

    assert load_spool().events_in == 0


def test_a_batch_of_many_nothings_is_kept_back_whole(workspace, spool, load_spool, raw):
    spool(line(b'{"batch":[' + b"1," * 24_999 + b"1]}"), line(track("after")))

    report = load_spool()

    assert (report.events_in, report.accepted, report.blocked) == (25_001, 1, 25_000)
    assert raw(
        workspace,
        "select count(*), count(distinct message_id), min(received_at)::varchar"
        " from raw.violations",
    ) == [(25_000, 25_000, f"{DAY} 10:00:00+00")]


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "track", "page", "2026-11-20T10:00:00Z", "2026-11-20", "u", "1.2.3.4"])
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["ip", "library", "name", "direct", "a", ""]), inner)
    ),
    max_leaves=4,
)
FIELDS = ["type", "event", "userId", "anonymousId", "messageId", "groupId", "previousId", "name"]
FIELDS += ["properties", "traits", "context", "integrations", "writeKey", "_metadata", "odd"]
FIELDS += ["sentAt", "timestamp", "originalTimestamp", "receivedAt", "batch"]
odd_events = st.dictionaries(st.sampled_from(FIELDS), anything, max_size=8) | anything
odd_bodies = st.lists(odd_events, max_size=3).flatmap(
    lambda found: st.dictionaries(st.sampled_from(FIELDS[:-1]), anything, max_size=3).map(
        lambda around: {**around, "batch": found}
    )
)
heads = st.fixed_dictionaries(
    {"source": st.sampled_from(["web", "gone"]), "ip": st.sampled_from([None, "9.9.9.9"])},
    optional={"browser": st.booleans()},
)


@settings(max_examples=25, deadline=None)
@given(
    bodies=st.lists(
        st.tuples(heads, odd_bodies | st.tuples(st.sampled_from(["track", "page"]), odd_events)),
        min_size=1,
        max_size=8,
    )
)
def test_no_body_stops_a_load(tmp_path_factory, bodies):
    workspace = make_workspace(tmp_path_factory.mktemp("odd") / "workspace")
    lines, events = [], 0
    for head, body in bodies:
        if isinstance(body, tuple):
            lines.append(line(json.dumps(body[1]).encode(), type=body[0], **head))
            events += 1
        else:
            lines.append(line(body, **head))
            events += len(body["batch"])
    put(workspace.spool, padded(*lines))

    report = load_files(workspace, [])

    assert report.events_in == events
    assert events == report.accepted + report.blocked + report.duplicates
    assert sealed_segments(workspace.spool) == []
