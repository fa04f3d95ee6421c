"""Rows that are gone come back from the archive, as they were."""

import json
import shutil
import signal
import subprocess
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loader.config import Workspace
from loader.demo.generator import generate
from loader.errors import Busy, ConfigError, StorageError
from loader.load import Selection, load_files, rebuild_table, retry_violations
from loader.locks import exclusive
from loader.warehouse import compact, connect, quote, read_manifest
from loader.warehouse.catalog import is_log
from tests.conftest import make_workspace
from tests.load.child import start_module
from tests.load.nasty import events, fillers, written
from tests.spool.place import line, padded, put

ORDER = {
    "type": "track",
    "event": "Order Completed",
    "userId": "usr_1",
    "messageId": "m-1",
    "receivedAt": "2025-03-04T10:00:12.345678Z",
    "properties": {"order_id": "ORDER-1", "total": 14500, "currency": "RUB"},
}


def order(number, day=4, **event):
    at = f"2025-03-{day:02}T10:00:{number % 60:02}Z"
    return {**ORDER, "messageId": f"m-{number}", "receivedAt": at, **event}


@pytest.fixture
def workspace(tmp_path):
    """A workspace whose archive forgets nothing, whatever today is."""
    return keeping(make_workspace(tmp_path / "workspace"))


def keeping(workspace, more=""):
    with (workspace.root / "headwater.yml").open("a") as config:
        config.write(f"\nretention: {{archive_days: 100000}}\n{more}\n")
    return Workspace(workspace.root)


def with_config(workspace, text, *, archive_days=100_000):
    path = workspace.root / "headwater.yml"
    path.write_text(f"retention: {{archive_days: {archive_days}}}\n{text}\n")
    return Workspace(workspace.root)


def event_tables(workspace):
    manifest = read_manifest(workspace)
    return sorted({file.table_name for file in manifest.files if not is_log(file.table_name)})


def all_rows(workspace, table):
    """Every column of every row, in the order of arrival."""
    with connect(workspace) as connection:
        found = connection.execute(f"select * from raw.{quote(table)} order by _seq")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def files_of(workspace, table):
    return [file for file in read_manifest(workspace).files if file.table_name == table]


def lose(workspace, table, *, but=()):
    """Remove the table's files from the disk; how many rows they had."""
    lost = [file for file in files_of(workspace, table) if file.date not in but]
    for file in lost:
        (workspace.lake / file.file).unlink()
    return sum(file.rows for file in lost)


def differences(before, after):
    """Which rows and columns are others than before, the first ten."""
    assert len(before) == len(after)
    return [
        (old["id"], name, old[name], new.get(name))
        for old, new in zip(before, after, strict=True)
        for name in old
        if old[name] != new.get(name)
    ][:10]


def check_each_comes_back(workspace):
    """Lose each table in turn, and have it back as it was."""
    for table in event_tables(workspace):
        before = all_rows(workspace, table)
        missing = lose(workspace, table)

        report = rebuild_table(workspace, table)

        assert (report.rows, report.missing_rows, report.gone) == (missing, missing, [])
        assert not differences(before, all_rows(workspace, table)), table
        assert rebuild_table(workspace, table).missing_rows == 0


def test_every_table_of_generated_events_comes_back_row_by_row(workspace, tmp_path):
    for number in range(3):
        path = tmp_path / f"{number}.ndjson"
        generate(path, 2_000, chunk_events=1_000, seed=number)
        load_files(workspace, [str(path)])
    assert len(event_tables(workspace)) > 5

    check_each_comes_back(workspace)


@st.composite
def loads(draw):
    found = []
    for load in range(draw(st.integers(1, 3))):
        firsts = range(100 * load, 100 * load + draw(st.integers(1, 12)))
        lines = [draw(written(draw(events(first)))) for first in firsts]
        lines += draw(st.booleans()) * fillers(1_000 * load)
        found.append(lines)
    return found


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(loads=loads())
def test_so_does_each_of_the_nastiest(tmp_path_factory, loads):
    folder = tmp_path_factory.mktemp("rebuilt")
    workspace = keeping(make_workspace(folder / "workspace"))
    for number, lines in enumerate(loads):
        path = folder / f"{number}.ndjson"
        path.write_bytes(b"".join(found + b"\n" for found in lines))
        load_files(workspace, [str(path)])

    check_each_comes_back(workspace)


def test_what_came_over_http_and_what_was_retried_comes_back_too(workspace, load, load_spool):
    hearsay = {**order(1), "receivedAt": "2020-01-01T00:00:00Z"}
    batch = {
        "batch": [{**order(2), "receivedAt": None}, {**order(3), "context": "none"}],
        "context": {"library": {"name": "analytics.js"}, "locale": "de"},
        "sentAt": "2026-11-20T10:00:01Z",
    }
    lines = [line(hearsay, type="track"), line(batch, browser=True, ip="203.0.113.7")]
    put(workspace.spool, padded(*lines))
    load_files(workspace, [])
    timeless = {k: v for k, v in order(4, properties={"total": "x"}).items() if k != "receivedAt"}
    load(order(5, properties={"total": "x"}), timeless)
    shutil.rmtree(workspace.schemas / "track")
    assert retry_violations(workspace, Selection()).accepted == 2

    check_each_comes_back(workspace)
    assert [row["id"] for row in all_rows(workspace, "tracks")] == [
        "m-1",
        "m-2",
        "m-3",
        "m-5",
        "m-4",
    ]


def test_events_that_a_load_made_of_violations_come_back(workspace, write_ndjson):
    asking = with_config(workspace, "contracts: {violation_events: true}")
    load_files(asking, [write_ndjson([order(1, properties={"total": "x"}), order(2)])])
    assert "violation_generated" in event_tables(asking)

    check_each_comes_back(asking)


def test_rows_that_are_there_are_not_brought_a_second_time(workspace, load):
    load(order(1, day=4), order(2, day=5), order(3, day=5))
    load(order(4, day=5), order(5, day=6))
    before = all_rows(workspace, "order_completed")
    assert lose(workspace, "order_completed", but=("2025-03-04", "2025-03-06")) == 3

    report = rebuild_table(workspace, "order_completed")

    assert (report.rows, report.missing_rows) == (3, 3)
    assert report.loads == [1, 2]
    assert all_rows(workspace, "order_completed") == before


def test_a_lost_file_of_a_compaction_gives_the_rows_of_all_its_loads_back(workspace, load):
    for number in range(4):
        load(order(2 * number), order(2 * number + 1))
    before = all_rows(workspace, "order_completed")
    compact(workspace, ["order_completed"])
    load(order(8))  # of the same day, in a file that stays
    [merged, _] = sorted(files_of(workspace, "order_completed"), key=lambda file: file.rows)[::-1]
    (workspace.lake / merged.file).unlink()

    report = rebuild_table(workspace, "order_completed")

    assert (report.rows, report.loads) == (8, [1, 2, 3, 4])
    assert all_rows(workspace, "order_completed")[:8] == before
    assert len(all_rows(workspace, "order_completed")) == 9


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped"])
def test_a_damaged_file_is_replaced(workspace, load, damage):
    load(*map(order, range(200)))
    before = all_rows(workspace, "order_completed")
    path = workspace.lake / files_of(workspace, "order_completed")[0].file
    content = bytearray(path.read_bytes())
    content[100:200] = bytes(100)
    path.write_bytes({"cut": content[:-9], "empty": b"", "flipped": content}[damage])

    report = rebuild_table(workspace, "order_completed")

    assert report.rows == 200
    assert all_rows(workspace, "order_completed") == before


def test_with_nothing_missing_nothing_changes(workspace, load):
    load(order(1))
    before = workspace.manifest.read_bytes()

    report = rebuild_table(workspace, "order_completed")

    assert (report.rows, report.missing_rows, report.loads) == (0, 0, [])
    assert workspace.manifest.read_bytes() == before


def test_what_contracts_leave_out_today_stays_out(workspace, load):
    contract_file = workspace.schemas / "track" / "order_completed.json"
    contract_file.unlink()
    load(order(1), order(2, userId="gone"), order(3, properties={"total": 1}))
    lose(workspace, "order_completed")
    today = with_config(workspace, "privacy: {suppress: gone.txt}")
    (workspace.root / "gone.txt").write_text("gone\n")
    contract = {"name": "Order Completed", "rules": {"required": ["order_id"]}}
    contract_file.write_text(json.dumps(contract))

    report = rebuild_table(today, "order_completed")

    assert [row["id"] for row in all_rows(today, "order_completed")] == ["m-1"]
    assert [(found.rows_then, found.rows) for found in report.changed] == [(3, 1)]
    assert report.gone == []
    assert rebuild_table(today, "order_completed").missing_rows == 0
    assert not files_of(today, "violations")


def test_a_day_that_the_archive_forgot_is_told_and_the_rest_comes_back(workspace, load):
    load(order(1, day=4), order(2, day=5))
    load(order(3, day=5))
    lose(workspace, "order_completed")
    shutil.rmtree(workspace.archive / "_date=2025-03-04")

    report, again = (rebuild_table(workspace, "order_completed") for _ in range(2))

    assert [row["id"] for row in all_rows(workspace, "order_completed")] == ["m-2", "m-3"]
    [gone] = report.gone
    assert (gone.load_id, gone.dates, gone.rows) == (1, [date(2025, 3, 4)], 1)
    assert (report.rows, again.rows, again.gone) == (2, 0, [gone])


def test_a_lost_file_whose_day_is_forgotten_counts_again_once_it_is_back(workspace, load):
    load(order(1))
    [file] = files_of(workspace, "order_completed")
    aside = workspace.root / "aside"
    (workspace.lake / file.file).rename(aside)
    shutil.rmtree(workspace.archive)
    workspace.archive.mkdir()
    rebuild_table(workspace, "order_completed")

    aside.rename(workspace.lake / file.file)

    assert len(all_rows(workspace, "order_completed")) == 1


def test_a_table_that_is_none_or_holds_no_events_is_an_error(workspace, load):
    load(order(1))

    with pytest.raises(ConfigError, match=r"(?s)did you mean order_completed"):
        rebuild_table(workspace, "order_complete")
    with pytest.raises(ConfigError, match=r"raw\.loads is a log"):
        rebuild_table(workspace, "loads")
    lose(workspace, "tracks")
    shutil.rmtree(workspace.archive)
    with pytest.raises(ConfigError, match="does not exist"):
        rebuild_table(workspace, "tracks")


def test_without_the_log_of_loads_it_says_so(workspace, load):
    load(order(1))
    lose(workspace, "tracks")
    lose(workspace, "loads")

    with pytest.raises(StorageError, match=r"raw\.loads"):
        rebuild_table(workspace, "tracks")


@pytest.mark.parametrize("lock", ["load", "compact"])
def test_while_a_load_or_compaction_runs_it_says_so(workspace, load, lock):
    load(order(1))

    with exclusive(workspace.home / f"{lock}.lock", lock), pytest.raises(Busy, match="at work"):
        rebuild_table(workspace, "tracks")


def test_a_column_that_became_wider_since_shows_the_old_rows_too(workspace, load):
    load(order(1, properties={"size": 1}, event="Sized"), order(2, event="Sized", properties={}))
    lose(workspace, "sized")
    load(order(3, event="Sized", properties={"size": 1.5}))

    rebuild_table(workspace, "sized")

    assert [row["size"] for row in all_rows(workspace, "sized")] == [1.0, None, 1.5]


def test_killed_at_any_moment_and_repeated_all_is_there_once(workspace, load):
    load(*map(order, range(2_000)))
    load(*map(order, range(2_000, 4_000)))
    before = all_rows(workspace, "order_completed")
    lose(workspace, "order_completed")

    outcomes = []
    for tenths in range(1, 12):
        arguments = (str(workspace.root), "order_completed")
        process = start_module("tests.load.rebuilder", *arguments)
        process.stdout.readline()
        process.stdin.write(b"go\n")
        try:
            process.wait(tenths / 10)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        outcomes.append(process.returncode)
    rebuild_table(workspace, "order_completed")

    assert -signal.SIGKILL in outcomes
    assert all_rows(workspace, "order_completed") == before
