"""Every event once: by its id, across lines, files and loads; and counts that add up."""

import gzip
import json
import shutil
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from loader.load import load_files
from tests.conftest import make_workspace, read_raw

ORDER = {"order_id": "1", "total": 5, "currency": "RUB"}


def track(id_, event="A", **fields):
    return {"type": "track", "event": event, "userId": "u", "messageId": id_, **fields}


def order(id_, **change):
    return track(id_, "Order Completed", properties={**ORDER, **change})


def is_whole(report):
    parts = (report.accepted, report.blocked, report.duplicates)
    return report.events_in == sum(parts) + report.suppressed + report.dropped


def test_an_event_is_loaded_once_across_lines_files_and_loads(workspace, write_ndjson, raw):
    first = write_ndjson([track("1"), track("1"), track("2")], "first")
    second = write_ndjson([track("2"), track("3")], "second")
    third = write_ndjson([track("1"), track("2"), track("3"), track("4")], "third")

    together = load_files(workspace, [first, second])
    later = load_files(workspace, [third])

    assert (together.accepted, together.duplicates) == (3, 2)
    assert (later.accepted, later.duplicates) == (1, 3)
    assert raw(workspace, "select id from raw.tracks order by _seq") == [
        *(("1",), ("2",), ("3",), ("4",))
    ]


def test_an_id_counts_across_sources_calls_and_contents(workspace, load, raw):
    report = load(
        track("1"), {"type": "page", "userId": "u", "messageId": "1"}, {**track("1"), "event": "B"}
    )
    other = load(track("1", event="C"), source="other")

    assert (report.accepted, report.duplicates, other.duplicates) == (1, 2, 1)
    assert raw(workspace, "select event from raw.tracks") == [("a",)]


def test_a_file_under_another_name_is_the_same_file(workspace, write_ndjson, tmp_path):
    path = write_ndjson([track("1"), {"type": "page"}])
    load_files(workspace, [path])
    shutil.copy(path, tmp_path / "copy")
    before = workspace.manifest.read_bytes()

    report = load_files(workspace, [path, str(tmp_path / "copy")])

    assert report.already_loaded == [path, str(tmp_path / "copy")]
    assert report.events_in == 0
    assert workspace.manifest.read_bytes() == before


def test_a_file_named_twice_is_loaded_once(workspace, write_ndjson):
    path = write_ndjson([track("1")])

    report = load_files(workspace, [path, path])

    assert (report.accepted, report.already_loaded) == (1, [path])


def test_the_same_events_in_another_wrapping_change_no_table(
    workspace, write_ndjson, tmp_path, raw
):
    path = write_ndjson([track("1"), order("2", total="5"), track(None), {"type": "page"}])
    first = load_files(workspace, [path])
    files = sorted(workspace.lake.rglob("*.parquet"))
    (tmp_path / "again.gz").write_bytes(gzip.compress(Path(path).read_bytes()))
    (tmp_path / "crlf").write_bytes(Path(path).read_bytes().replace(b"\n", b"\r\n"))

    for name in ("again.gz", "crlf"):
        report = load_files(workspace, [str(tmp_path / name)])
        assert (report.accepted, report.blocked, report.duplicates) == (0, 0, 4)

    assert (first.accepted, first.blocked) == (2, 2)
    assert sorted(workspace.lake.rglob("*.parquet")) == files
    assert raw(workspace, "select count(*) from raw.violations") == [(2,)]


def test_what_was_blocked_is_let_in_once_its_contract_allows_it(workspace, write_ndjson, raw):
    events = [order("1", total="5"), order("2")]
    assert load_files(workspace, [write_ndjson(events)]).blocked == 1
    path = workspace.schemas / "track/order_completed.json"
    contract = json.loads(path.read_text())
    contract["rules"]["properties"]["total"] = {"type": ["number", "string"]}
    path.write_text(json.dumps(contract))

    report = load_files(workspace, [write_ndjson([*events, track("3")])])

    assert (report.accepted, report.blocked, report.duplicates) == (2, 0, 1)
    assert raw(workspace, "select id, total, _rescued from raw.order_completed order by id") == [
        ("1", None, '{"/properties/total":"5"}'),  # the column's type is a number's, for good
        ("2", 5.0, None),
    ]
    again = load_files(workspace, [write_ndjson([*events, track("4")])])
    assert (again.accepted, again.duplicates) == (1, 2)


def test_the_same_violation_is_written_once_and_another_of_the_event_too(workspace, load, raw):
    first = load(order("1", total="5"), order("1", total="5"))
    again = load(order("1", total="5"), track("x"))
    other = load(order("1", currency="GBP"))

    assert (first.blocked, first.duplicates) == (1, 1)
    assert (again.blocked, again.duplicates) == (0, 1)
    assert other.blocked == 1
    assert raw(workspace, "select path, load_id from raw.violations order by load_id") == [
        ("$.properties.total", 1),
        ("$.properties.currency", 3),
    ]


def test_an_event_that_breaks_two_rules_has_two_rows_and_counts_once(workspace, load, raw):
    report = load(order("1", total="5", currency="GBP"))

    assert (report.events_in, report.blocked) == (1, 1)
    assert raw(workspace, "select count(*) from raw.violations") == [(2,)]


def test_an_accepted_event_that_comes_again_broken_is_a_duplicate(workspace, load, raw):
    load(order("1"))

    assert load(order("1", total="5")).duplicates == 1
    assert raw(workspace, "select count(*) from raw.violations") == [(0,)]


def test_an_event_whose_first_copy_is_broken_is_taken_from_the_second(workspace, load, raw):
    report = load(order("1", total="5"), order("1"), order("1"))

    assert (report.accepted, report.blocked, report.duplicates) == (1, 1, 1)
    assert is_whole(report)


def test_lines_without_an_id_are_known_by_their_text(workspace, load):
    report = load(track(None), track(None), track(None, "B"))

    assert (report.accepted, report.duplicates) == (2, 1)


def test_load_ids_and_seqs_increase_over_loads(workspace, load, raw):
    for number in range(3):
        load(track(f"{number}a"), track(f"{number}b"))

    rows = raw(workspace, "select load_id, _seq, id from raw.tracks order by _seq")
    assert [row[0] for row in rows] == [1, 1, 2, 2, 3, 3]
    assert [row[2] for row in rows] == ["0a", "0b", "1a", "1b", "2a", "2b"]
    assert len({row[1] for row in rows}) == 6


def test_a_source_is_named_by_option_or_write_key(workspace, load, raw, monkeypatch):
    monkeypatch.setenv("WEB_WRITE_KEY", "the-web")
    monkeypatch.setenv("SERVER_WRITE_KEY", "the-server")

    report = load(
        track("1", writeKey="the-web"),
        {"batch": [track("2"), track("3", writeKey="the-web")], "writeKey": "the-server"},
        track("4"),
        track("5", writeKey="nobodys"),
        track("6", writeKey="nobodys"),
        b'{"event":"torn","writeKey":"the-web',
    )
    load(track("7", writeKey="the-web"), source="named")

    assert raw(workspace, "select id, source_id from raw.tracks order by id") == [
        *(("1", "web"), ("2", "server"), ("3", "web"), ("4", "file"), ("5", "file")),
        *(("6", "file"), ("7", "named")),
    ]
    assert raw(
        workspace, "select rule, action, message_id from raw.violations where action = 'allow'"
    ) == [("unknown_write_key", "allow", "5")]
    assert is_whole(report)
    for path in workspace.home.rglob("*"):
        if path.is_file():
            for key in (b"the-web", b"the-server", b"nobodys"):
                assert key not in path.read_bytes(), path


GOOD = [track("1"), track("2"), track("3", "B"), order("4"), order("5"), track("1", "B")]
BAD = [order("4", total="x"), order("5", currency="GBP"), {"type": "page", "messageId": "6"}]
lines = st.lists(st.sampled_from(GOOD + BAD), max_size=6)


@settings(max_examples=15, deadline=None)
@given(loads=st.lists(st.lists(lines, min_size=1, max_size=2), min_size=1, max_size=3))
def test_counts_add_up_and_any_split_into_loads_has_the_same_events(tmp_path_factory, loads):
    folder = tmp_path_factory.mktemp("split")
    workspace = make_workspace(folder / "workspace")
    reports = []
    for number, files in enumerate(loads):
        paths = [folder / f"{number}-{part}" for part in range(len(files))]
        for path, events in zip(paths, files, strict=True):
            path.write_text("".join(json.dumps(event) + "\n" for event in events))
        reports.append(load_files(workspace, list(map(str, paths))))

    events = [event for files in loads for lines in files for event in lines]
    good = {event["messageId"] for event in events if event in GOOD}
    assert all(map(is_whole, reports))
    assert sum(report.accepted for report in reports) == len(good)
    found = read_raw(workspace, "select id from raw.tracks order by id")
    assert found == [(id_,) for id_ in sorted(good)]
    kept_back = read_raw(workspace, "select message_id, path from raw.violations")
    assert len(set(kept_back)) == len(kept_back) == sum(report.blocked for report in reports)


def test_events_without_ids_in_a_batch_are_each_taken_and_a_repeated_batch_adds_none(load):
    click = {"type": "track", "event": "Click", "userId": "u"}
    batch = [dict(click), dict(click), {**click, "properties": {"x": 1}}]

    first = load({"batch": batch, "sentAt": "2024-05-01T10:00:00Z"})
    again = load({"batch": batch, "sentAt": "2024-05-01T10:00:09Z"})  # as an SDK tries again

    assert (first.accepted, first.duplicates) == (3, 0)
    assert (again.accepted, again.duplicates) == (0, 3)


def test_an_event_that_breaks_a_contract_a_thousandfold_is_told_of_briefly(load, raw, workspace):
    report = load(order("1", products=[{}] * 5_000))

    assert report.blocked == 1
    assert raw(workspace, "select count(*) from raw.violations") == [(20,)]
