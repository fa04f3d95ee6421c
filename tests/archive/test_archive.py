"""The archive holds what was accepted, as it came, and gives back what its load saw."""

import json
from datetime import UTC, datetime

import duckdb
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loader.archive import read_archive, whole_event, without_write_key
from loader.load import load_files
from loader.warehouse import read_manifest
from tests.conftest import make_workspace
from tests.spool.place import line, padded, put

TRACK = {"type": "track", "event": "A", "userId": "u"}
TIMES = {"receivedAt": "2026-11-20T10:00:03Z", "sentAt": "2026-11-20T10:00:02Z"}


@pytest.fixture
def workspace(tmp_path):
    """A workspace whose archive forgets nothing, whatever today is."""
    return kept(make_workspace(tmp_path / "workspace"))


def kept(workspace, days=100_000):
    with (workspace.root / "headwater.yml").open("a") as config:
        config.write(f"\nretention: {{archive_days: {days}}}\n")
    return workspace


def archived(workspace, **bounds):
    next_load_id = read_manifest(workspace).next_load_id
    return list(read_archive(workspace, next_load_id=next_load_id, **bounds))


def test_an_event_is_kept_byte_for_byte_but_for_its_write_key(workspace, load):
    text = '{ "type":"track", "event":"Заказ","userId":"u","messageId":"1", "x": 1.50, %s}'
    key = b'"writeKey":"a-key"'
    odd = (text % '"context": {"writeKey": "theirs"}').encode()

    load(odd, odd.replace(b'"1"', b'"2"')[:-1] + b"," + key + b"}")

    first, second = archived(workspace)
    assert first.raw.encode() == odd
    assert json.loads(second.raw) == json.loads(odd.replace(b'"1"', b'"2"'))
    assert '"x":1.50' in second.raw


def test_rows_say_what_to_pick_them_by(workspace, load):
    load(
        {**TRACK, "messageId": "1", **TIMES},
        {"type": "Page", "userId": "u", "messageId": 2, **TIMES},
        source="shop",
    )

    track, page = archived(workspace)
    at = datetime(2026, 11, 20, 10, 0, 3, tzinfo=UTC)
    assert (track.seq, track.id, track.source_id, track.type) == (1, "1", "shop", "track")
    assert (track.event, track.received_at, track.shared) == ("A", at, None)
    assert (page.seq, page.id, page.type, page.event) == (2, "2", "page", None)


def test_what_is_blocked_or_a_duplicate_is_not_archived(workspace, load):
    load({**TRACK, "messageId": "1"}, {**TRACK, "messageId": "1"}, {"type": "track"}, b"torn")

    assert [row.id for row in archived(workspace)] == ["1"]


def test_loads_come_in_order_and_from_the_one_asked_for(workspace, load):
    for number in range(12):
        load(
            {**TRACK, "messageId": f"{number}b", "receivedAt": "2026-11-21T00:00:00Z"},
            {**TRACK, "messageId": f"{number}a", "receivedAt": "2026-11-20T00:00:00Z"},
        )

    assert [row.id for row in archived(workspace)] == [
        f"{number}{letter}" for number in range(12) for letter in "ba"
    ]
    assert [row.id for row in archived(workspace, first_load_id=12)] == ["11b", "11a"]
    assert {path.name for path in workspace.archive.iterdir()} == {
        "_date=2026-11-20",
        "_date=2026-11-21",
    }


def test_parts_of_a_large_load_come_in_order(workspace, load, monkeypatch):
    monkeypatch.setattr("loader.archive.writer._PART_BYTES", 1)
    monkeypatch.setattr("loader.load.transaction._FLUSH_EVENTS", 3)
    monkeypatch.setattr("loader.load.reader._BLOCK_BYTES", 300)
    days = ("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z")

    load(*({**TRACK, "messageId": f"{n:03}", "receivedAt": days[n % 2]} for n in range(100)))

    names = {path.name for path in workspace.archive.rglob("*.parquet")}
    assert {"1.parquet", "1-1.parquet", "1-11.parquet"} <= names
    assert [row.id for row in archived(workspace)] == [f"{n:03}" for n in range(100)]


def test_a_load_that_was_never_committed_does_not_count(workspace, load):
    load({**TRACK, "messageId": "1"})
    (written,) = workspace.archive.rglob("*.parquet")
    (written.parent / "2.parquet").write_bytes(written.read_bytes())

    assert [row.id for row in archived(workspace)] == ["1"]


def test_what_a_killed_load_archived_is_removed_by_the_next(workspace, load):
    load({**TRACK, "messageId": "1", "receivedAt": "2026-11-20T00:00:00Z"})
    (written,) = workspace.archive.rglob("*.parquet")
    other_day = workspace.archive / "_date=2026-11-21"
    other_day.mkdir()
    for name in ("2.parquet", "2-1.parquet", ".2-2.parquet.tmp"):
        (other_day / name).write_bytes(written.read_bytes())
    (workspace.home / "load.lock").write_text("12345\n")  # its holder never took its name away

    load({**TRACK, "messageId": "2", "receivedAt": "2026-11-20T00:00:00Z"})

    assert [row.id for row in archived(workspace)] == ["1", "2"]
    assert list(other_day.iterdir()) == []


def test_what_a_load_archived_before_a_power_cut_never_counts(workspace, load):
    load({**TRACK, "messageId": "1", **TIMES})
    (path,) = workspace.archive.glob("_date=*/*.parquet")
    for name in ("_date=2026-11-20/2-1.parquet", "_date=2026-11-19/2.parquet"):
        stale = workspace.archive / name  # and no mark of the load that left them
        stale.parent.mkdir(exist_ok=True)
        stale.write_bytes(path.read_bytes())

    load({**TRACK, "messageId": "2", **TIMES})

    assert [row.id for row in archived(workspace)] == ["1", "2"]


def test_any_reader_of_parquet_reads_it(workspace, load):
    load({**TRACK, "messageId": "1", "properties": {"a": "é"}})

    rows = duckdb.sql(
        f"select id, raw ->> '$.properties.a', _date from '{workspace.archive}/*/*.parquet'"
    ).fetchall()

    assert [row[:2] for row in rows] == [("1", "é")]


BATCH = {
    "batch": [
        {**TRACK, "messageId": "b1", "context": {"ip": "1.1.1.1"}, "integrations": {"X": True}},
        {"type": "identify", "anonymousId": "a", "traits": {"plan": "pro"}, "writeKey": "k"},
        {"type": "page", "userId": "u", "properties": [], "context": {"library": {"name": "x"}}},
    ],
    "sentAt": "2026-11-20T10:00:00Z",
    "context": {"library": {"name": "analytics.js", "version": "1"}, "locale": "ru"},
    "integrations": {"All": False},
    "writeKey": "k",
}
SPOOLED = [
    line(BATCH, ip="9.9.9.9"),
    line({**BATCH, "batch": [{**TRACK, "context": {}}]}, ip="9.9.9.9", browser=True),
    line({"userId": "u", "name": "Home", "sentAt": "2020-01-01T00:00:00Z"}, type="screen"),
    line({**TRACK, "type": "no", "receivedAt": "2001-01-01T00:00:00Z"}, type="track", ip="8.8.8.8"),
    line({**TRACK, "context": {"direct": True}}, type="track", ip="8.8.8.8"),
    line(rb'{"type":"track","event":"A","userId":"u","properties":{"t":"\ud83d"}}', type="track"),
]
FILED = [
    {**BATCH, "receivedAt": "2026-11-20T11:00:00Z", "batch": BATCH["batch"][:2]},
    {**TRACK, "messageId": 7, "timestamp": 1763600000, "userId": 12, "extra": {"a": 1}},
    {**TRACK, "messageId": {"odd": 1}, "context": "oops", "properties": "oops", **TIMES},
    {**TRACK, "_metadata": {"bundled": ["X"]}, "properties": {"big": 2**70, "ts": "2026-01-01"}},
]


def rows_of(workspace, raw):
    """Every raw row of every table, but for what tells of its load."""
    found = {}
    for table in ("tracks", "a", "identifies", "pages", "screens"):
        columns = [
            name
            for (name,) in raw(
                workspace,
                "select column_name from duckdb_columns() where schema_name = 'raw'"
                f" and table_name = '{table}' order by 1",
            )
            if name not in ("load_id", "loaded_at", "source_id", "_seq", "_rescued")
        ]
        found[table] = raw(workspace, f"select {', '.join(columns)} from raw.{table} order by _seq")
    return found


@pytest.mark.parametrize("is_spooled", [True, False])
def test_whole_events_are_what_their_load_saw(
    workspace, tmp_path, write_ndjson, load, raw, is_spooled
):
    if is_spooled:
        put(workspace.spool, padded(*SPOOLED))
        load_files(workspace, [])
    else:
        load(*FILED)
    rows = archived(workspace)

    events = [whole_event(row) for row in rows]

    other = make_workspace(tmp_path / "other")
    report = load_files(other, [write_ndjson([msgspec.json.encode(event) for event in events])])
    assert report.accepted == len(rows) > 4
    assert rows_of(other, raw) == rows_of(workspace, raw)
    for row, event in zip(rows, events, strict=True):
        assert event["messageId"] == row.id
        assert datetime.fromisoformat(event["receivedAt"]) == row.received_at
        assert "writeKey" not in event
        assert '"writeKey"' not in row.raw
        assert type(event["context"]) is type(event["integrations"]) is dict


def test_what_a_request_said_for_all_is_kept_beside_each(workspace):
    put(workspace.spool, padded(*SPOOLED))
    load_files(workspace, [])

    shared = [json.loads(row.shared) for row in archived(workspace) if row.shared]

    common = {name: BATCH[name] for name in ("sentAt", "context", "integrations")}
    assert shared == [
        {**common, "ip": "9.9.9.9"},
        {**common, "ip": "9.9.9.9"},
        common,  # its own library is no client's
        {**common, "ip": "9.9.9.9"},
        {"type": "screen"},
        {"type": "track"},
        {"type": "track", "ip": "8.8.8.8"},
        {"type": "track"},
    ]


values = st.recursive(
    st.none()
    | st.integers(-(2**40), 2**40)
    | st.sampled_from(["writeKey", '"writeKey":"x"', "\\", "é"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["writeKey", "a", 'b"', ',"writeKey":"']), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@given(
    before=st.dictionaries(st.sampled_from(["a", "b\\", "writekey", "é"]), values),
    after=st.dictionaries(st.sampled_from(["c", "context", ',"writeKey":"']), values),
    key=st.sampled_from(["k", "", 'q"k', "\\", "écrire", "writeKey", 5, None, {"writeKey": "k"}]),
    separators=st.sampled_from([(",", ":"), (", ", ": ")]),
    ensure_ascii=st.booleans(),
)
def test_the_write_key_is_taken_out_and_nothing_else(before, after, key, separators, ensure_ascii):
    event = {**before, "writeKey": key, **after}
    text = json.dumps(event, separators=separators, ensure_ascii=ensure_ascii).encode()

    found = without_write_key(text)

    assert json.loads(found) == {**before, **after}


def test_a_write_key_that_is_spelled_otherwise_is_taken_out_too():
    text = rb'{"a":{"b":1,"writeKey":"theirs"},"writeKe\u0079":"ours"}'

    assert without_write_key(text) == rb'{"a":{"b":1,"writeKey":"theirs"}}'
