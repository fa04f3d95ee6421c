"""What events may widen the warehouse by, at each limit's edge; what goes beyond is kept."""

import json
import resource
import time

import pytest

from loader.config import Workspace
from loader.load import load_files
from loader.warehouse import MAX_COLUMNS, read_manifest

MAX_DEPTH = 16


def track(number, properties, event="Checked", **fields):
    call = {"type": "track", "event": event, "userId": "u", "messageId": f"m{number}"}
    return {**call, "receivedAt": "2024-05-01T10:00:00Z", "properties": properties, **fields}


@pytest.fixture
def narrow(workspace):
    """The workspace, with room for three event tables beside those of its contracts."""
    config = workspace.root / "headwater.yml"
    (workspace.schemas / "track").rename(workspace.root / "unused")
    config.write_text(f"{config.read_text()}\nlimits: {{event_tables: 3}}\n")
    return Workspace(workspace.root)


def test_an_event_beyond_the_last_table_is_kept_in_tracks_whole(narrow, load, raw):
    properties = {"a": 1, "b/c": {"d": [True]}, "none": None}

    report = load(
        *(track(n, properties, event=f"Name {n}") for n in range(5)),
        track(5, {"a": 2}, event="Name 0"),
        track(6, {}, event="Name 9", context={"ip": "1.2.3.4"}, extra=1),
    )

    assert report.accepted == 7
    assert report.tables == {"name_0": 2, "name_1": 1, "name_2": 1, "tracks": 7}
    found = raw(
        narrow, "select event, event_text, context_ip, _rescued from raw.tracks order by _seq"
    )
    assert found[2][3] is None
    assert [row[:3] for row in found[3:5]] == [
        ("name_3", "Name 3", None),
        ("name_4", "Name 4", None),
    ]
    kept = {"/properties/a": 1, "/properties/b~1c": {"d": [True]}}
    assert [json.loads(row[3]) for row in found[3:5]] == [kept, kept]
    assert found[6][2:] == ("1.2.3.4", '{"/extra":1}')
    (warning,) = report.warnings
    assert "3 events, such as 'Name 3', have no table of their own: 3 events have one" in warning


def test_the_next_load_knows_how_much_room_is_left(narrow, load, raw, write_ndjson):
    load(*(track(n, {"a": 1}, event=f"Name {n}") for n in range(3)))

    assert load(track(3, {"a": 1}, event="Name 3"), track(4, {}, event="Name 1")).tables == {
        "name_1": 1,
        "tracks": 2,
    }

    config = narrow.root / "headwater.yml"
    config.write_text(config.read_text().replace("event_tables: 3", "event_tables: 4"))
    path = write_ndjson([track(5, {}, event="Name 3")])
    assert "name_3" in load_files(Workspace(narrow.root), [path]).tables
    assert raw(narrow, "select id from raw.name_3") == [("m5",)]


def test_a_table_takes_2000_columns_and_the_next_key_is_rescued(workspace, load, raw):
    wide = [{f"k{n}_{i}": i for i in range(MAX_COLUMNS // 2)} for n in range(2)]

    report = load(track(1, wide[0]), track(2, wide[1]))
    assert report.warnings == []
    report = load(track(3, {"one_more": 1, "k0_0": 7}))

    assert raw(workspace, "select k0_0, _rescued from raw.checked where id = 'm3'") == [
        (7, '{"/properties/one_more":1}')
    ]
    assert len(read_manifest(workspace).catalog.tables["checked"].field_ids) == MAX_COLUMNS
    (warning,) = report.warnings
    assert warning.startswith("checked: no more columns: /properties/one_more")


def test_the_context_takes_2000_columns_in_all_tables_together(workspace, load, raw):
    for event in ("One", "Two", "Three"):
        keys = {f"{event}_{i}": i for i in range(MAX_COLUMNS // 2)}
        load(track(event, {"p": 1}, event=event, context=keys))

    catalog = read_manifest(workspace).catalog
    assert len(catalog.context) == MAX_COLUMNS
    assert len(catalog.tables["tracks"].field_ids) <= MAX_COLUMNS
    for table in ("three", "tracks"):
        (kept,) = raw(workspace, f"select _rescued from raw.{table} where id = 'mThree'")[0]
        rescued = json.loads(kept)
        assert rescued["/context/Three_999"] == 999
        assert len(rescued) + len(catalog.tables["three"].field_ids) >= 1_001


def nested(depth):
    value = {"leaf": 1}
    for number in range(depth):
        value = {f"d{number}": value}
    return value


def test_objects_are_flattened_to_a_depth_of_16_and_kept_whole_below(workspace, load, raw):
    load(track(1, nested(MAX_DEPTH)), track(2, nested(MAX_DEPTH + 1)))

    path = "/".join(f"d{number}" for number in reversed(range(MAX_DEPTH + 1)))
    name = path.removeprefix(f"d{MAX_DEPTH}/").replace("/", "_")
    assert raw(workspace, f"select {name}_leaf, _rescued from raw.checked order by _seq") == [
        (1, None),
        (None, json.dumps({f"/properties/{path}": {"leaf": 1}}, separators=(",", ":"))),
    ]


@pytest.mark.parametrize(
    "flood",
    [
        lambda n: track(n, {"a": 1}, event=f"Name {n}"),
        lambda n: track(n, {f"k{n}_{i}": i for i in range(10)}),
        lambda n: track(n, {f"k{' ' * (n % 97)}{'-' * (n // 97)}b": 1}),
    ],
    ids=["names", "keys", "spellings"],
)
def test_a_flood_of_20000_new_names_costs_bounded_time_and_memory(workspace, load, raw, flood):
    cpu, peak = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    report = load(*map(flood, range(20_000)))

    assert report.accepted == 20_000
    assert raw(workspace, "select count(*) from raw.tracks") == [(20_000,)]
    assert sum(map(len, report.warnings)) < 5_000
    assert time.process_time() - cpu < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 1_000_000  # KB
