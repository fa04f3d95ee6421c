"""Small files become few, and nothing else changes."""

import random
import time
from datetime import UTC, datetime, timedelta
from subprocess import TimeoutExpired

import pyarrow.parquet as pq
import pytest

from loader.errors import Busy, ConfigError
from loader.locks import exclusive
from loader.warehouse import compact, compactable, connect, read_manifest
from loader.warehouse.merge import Merger
from tests.load.child import start_module
from tests.load.test_killed_load import unlisted

LOADS, EVENTS = 6, 60
JUNK = b"not an event"


def events(number, day="2024-05-0{}"):
    """One load's events: three days, columns that come late, ints that become fractions."""
    for i in range(EVENTS):
        yield {
            "type": "track",
            "event": f"Event {i % 2}",
            "userId": "u",
            "messageId": f"{number}-{i}",
            "receivedAt": f"{day.format(1 + i % 3)}T10:00:00Z",
            "properties": {"n": i if number < 3 else i + 0.5, f"only_{number}": [i], "t": str(i)},
            "context": {"ip": "1.2.3.4", f"of_{number}": True},
        }


@pytest.fixture
def loaded(workspace, load):
    for number in range(LOADS):
        load(*events(number), JUNK + b" %d" % number)
    return workspace


def contents(workspace):
    """Every row of every raw table."""
    found = {}
    with connect(workspace) as connection:
        for table in read_manifest(workspace).catalog.tables:
            rows = connection.execute(f"select * from raw.{table}").fetchall()
            found[table] = sorted(map(repr, rows))
    return found


def hours(number):
    return datetime.now(UTC) + timedelta(hours=number)


def test_past_days_become_one_file_each_and_every_row_stays_as_it_is(loaded):
    before, files = contents(loaded), len(read_manifest(loaded).files)

    report = compact(loaded)

    assert contents(loaded) == before
    past = [f for f in read_manifest(loaded).files if f.date.startswith("2024")]
    assert len({(f.table_name, f.date) for f in past}) == len(past) == report.files_after
    assert report.files_before == LOADS * len(past)
    assert len(read_manifest(loaded).files) == files - report.files_before + report.files_after
    assert compact(loaded).files_before == 0


def test_files_keep_the_order_of_arrival_field_ids_and_todays_types(loaded):
    compact(loaded)

    manifest = read_manifest(loaded)
    for file in manifest.files:
        columns = manifest.catalog.columns_of(file.table_name)
        with pq.ParquetFile(loaded.lake / file.file) as stored:
            rows = stored.read()
        if file.date.startswith("2024"):
            assert rows["_seq"].to_pylist() == sorted(rows["_seq"].to_pylist())
            assert [
                (field.name, int(field.metadata[b"PARQUET:field_id"])) for field in rows.schema
            ] == [(name, number) for name, (number, _) in columns.items()]
            if "n" in columns:
                assert str(rows.schema.field("n").type) == "double"


def test_logs_are_compacted_too(loaded):
    before = contents(loaded)

    compact(loaded, now=hours(48))

    assert contents(loaded) == before
    files = [f.table_name for f in read_manifest(loaded).files]
    logs = ("violations", "loads", "schema_changes")
    assert [files.count(name) for name in logs] == [1, 1, 1]


def test_only_the_tables_that_are_named_are_compacted(loaded):
    assert compact(loaded, ["event_0"]).tables == {"event_0": 3}

    with pytest.raises(ConfigError, match="compact nowhere: there is no such table"):
        compact(loaded, ["nowhere"])


def test_todays_files_are_left_until_they_are_very_many(loaded):
    manifest = read_manifest(loaded)
    today = str(datetime.now(UTC).date())

    assert [found for found in compactable(loaded, manifest, hours(0)) if found.date == today] == []

    loads = [file for file in manifest.files if file.table_name == "loads"]
    for number in range(100 - len(loads)):
        copy = loaded.lake / loads[0].file.replace("1.parquet", f"9{number}.parquet")
        copy.hardlink_to(loaded.lake / loads[0].file)
        name = str(copy.relative_to(loaded.lake))
        manifest.files.append(type(loads[0])(name, "loads", loads[0].date, 1, loads[0].rows))

    due = [found for found in compactable(loaded, manifest, hours(0)) if found.date == today]
    assert [(found.table, len(found.files)) for found in due] == [("loads", 100)]


def test_unasked_a_day_is_left_while_loads_still_write_to_it(loaded):
    assert compact(loaded, is_asked_for=False).files_before == 0
    assert compact(loaded, is_asked_for=False, now=hours(1)).files_before > 0


def test_what_comes_out_too_large_is_split_in_the_order_of_arrival(workspace, load):
    page = {"type": "page", "userId": "u", "receivedAt": "2024-05-01T10:00:00Z"}
    for number in range(2):
        load(*({**page, "messageId": f"{number}-{i}"} for i in range(9_000)))
    manifest = read_manifest(workspace)
    files = [file for file in manifest.files if file.table_name == "pages"]

    workspace.compaction.mkdir()
    merger = Merger(workspace, target_bytes=1, group_rows=1)
    merged = merger.merge(manifest.catalog, files)
    merger.close()

    seqs = [pq.read_table(found.draft)["_seq"].to_pylist() for found in merged]
    assert [len(found) for found in seqs] == [found.rows for found in merged]
    assert len(merged) > 1
    assert [seq for found in seqs for seq in found] == list(range(1, 18_001))


def test_old_files_leave_the_list_after_ten_minutes_and_the_disk_after_an_hour(loaded, load):
    before = contents(loaded)
    old = {f.file for f in read_manifest(loaded).files if f.date.startswith("2024")}
    compact(loaded)
    assert {retired.file for retired in read_manifest(loaded).retired} == old

    def states():
        paths = [loaded.lake / name for name in old]
        return {(path.is_symlink(), path.exists()) for path in paths}

    is_file, is_link, dangles, is_gone = (False, True), (True, True), (True, False), (False, False)

    for now, state in [
        (hours(0.1), is_file),
        (hours(0.2), is_file),  # the epoch of before `n` widened ends first
        (hours(0.21), is_link),
        (hours(1.1), is_link),
        (hours(1.25), dangles),
        (hours(1.3), dangles),
        (hours(1.5), is_gone),
    ]:
        compact(loaded, now=now)
        assert states() == {state}
        assert contents(loaded) == before
    assert not loaded.retired.exists()
    load(*events(LOADS))
    compact(loaded, now=hours(1.6))
    assert old.isdisjoint(retired.file for retired in read_manifest(loaded).retired)
    for hour in (2, 4, 5):
        compact(loaded, now=hours(hour))
    assert unlisted(loaded) <= {loaded.home / "compact.lock"}


def test_a_file_that_is_no_longer_listed_can_still_be_opened(loaded):
    (old,) = [
        loaded.lake / f.file
        for f in read_manifest(loaded).files
        if f.file == "tracks/_date=2024-05-01/1.parquet"
    ]
    rows = pq.read_metadata(old).num_rows
    for hour in (0, 0.2, 0.21):
        compact(loaded, now=hours(hour))

    assert pq.read_metadata(old).num_rows == rows
    pattern = f"{loaded.lake}/tracks/**"
    with connect(loaded) as connection:
        listed = connection.execute(f"select file from glob('{pattern}')").fetchall()
    assert str(old) not in {name for (name,) in listed}


def test_while_a_transform_reads_an_old_version_nothing_leaves_its_list(loaded):
    compact(loaded)
    count = len(read_manifest(loaded).retired)

    with exclusive(loaded.home / "transform.lock", "transform"):
        compact(loaded, now=hours(5))

    assert len(read_manifest(loaded).retired) == count
    assert all((loaded.lake / r.file).is_file() for r in read_manifest(loaded).retired)


def test_a_failed_load_does_not_take_retired_files_along(loaded, load):
    compact(loaded)
    retired = read_manifest(loaded).retired
    (loaded.home / "load.lock").write_text("12345\n")  # as a killed holder's

    load(*events(LOADS))

    assert all((loaded.lake / found.file).is_file() for found in retired)


def test_a_second_compaction_says_that_one_is_at_work_and_loads_go_on(loaded, load):
    with exclusive(loaded.home / "compact.lock", "compaction"):
        with pytest.raises(Busy, match="another compaction is at work here"):
            compact(loaded)

        assert load(*events(LOADS)).accepted == EVENTS


def test_late_events_of_a_compacted_day_are_merged_in_the_next_time(loaded, load):
    compact(loaded)
    load(*events(LOADS))
    before = contents(loaded)

    report = compact(loaded)

    assert report.files_before == 2 * report.files_after
    assert contents(loaded) == before


def test_killed_at_any_moment_nothing_is_lost_and_nothing_doubled(loaded, load):
    before = contents(loaded)
    at_random = random.Random(11)
    started = time.monotonic()
    with start_module("tests.warehouse.compactor", str(loaded.root), "0") as child:
        assert child.wait() == 0
    lasts = time.monotonic() - started

    outcomes = []
    for number in range(12):
        load(*events(LOADS + number))
        before = contents(loaded)
        with start_module("tests.warehouse.compactor", str(loaded.root), "1") as child:
            assert child.stdout.readline() == b"ready\n"
            try:
                child.wait(timeout=at_random.uniform(0, lasts / 6))
            except TimeoutExpired:
                child.kill()
            outcomes.append(child.wait())
        assert contents(loaded) == before

    assert outcomes.count(-9) > 3, "too few were killed for this to prove anything"
    load(*events(99))
    before = contents(loaded)
    compact(loaded)
    assert contents(loaded) == before
    retired = {loaded.lake / found.file for found in read_manifest(loaded).retired}
    assert unlisted(loaded) - retired <= {loaded.home / "compact.lock"}
