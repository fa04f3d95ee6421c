"""Whatever lies in the spool, a load tells of every event what became of it."""

import json
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from loader.load import load_files
from loader.spool import sealed_segments
from tests.conftest import make_workspace, read_raw
from tests.load.spooled import at, batch, track
from tests.load.test_killed_load import unlisted
from tests.spool.place import line, padded, put

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
    assert len({seq for seq, *_ in seqs}) == len(good)
    assert sealed_segments(workspace.spool) == []
    assert unlisted(workspace) == set()


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
