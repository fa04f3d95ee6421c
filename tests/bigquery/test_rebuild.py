"""A raw table that was dropped in BigQuery comes back from the archive."""

import pytest

from loader.config import Workspace
from loader.demo.generator import generate
from loader.errors import AccessDenied, LoaderError
from loader.load import load_files, rebuild_table
from loader.warehouse import read_manifest
from loader.warehouse.catalog import is_log
from tests.bigquery.asking import rows_of
from tests.bigquery.conftest import on_bigquery
from tests.bigquery.proxy import ACCESS_DENIED, LOAD, Proxy
from tests.conftest import make_workspace

DAY = "2026-03-04T10:00:00Z"


def track(number, name="Thing", **properties):
    return {
        "type": "track",
        "event": name,
        "userId": f"u{number}",
        "messageId": f"m{number}",
        "receivedAt": DAY,
        "properties": properties,
    }


@pytest.fixture
def workspace(bigquery_workspace):
    return forgetting_nothing(bigquery_workspace)


def forgetting_nothing(workspace):
    """The workspace with an archive that has every day, whatever today is."""
    with (workspace.root / "headwater.yml").open("a") as config:
        config.write("\nretention: {archive_days: 100000}\n")
    return Workspace(workspace.root)


@pytest.fixture
def load(workspace, write_ndjson):
    return lambda *events: load_files(workspace, [write_ndjson(events)])


def rows(workspace, table):
    """Every row of the table with all of its columns, in the order of arrival."""
    return rows_of(workspace, f"select * from {{raw}}.{table} order by _seq")


def drop(workspace, table):
    rows_of(workspace, f"drop table {{raw}}.{table}")


def test_every_table_comes_back_row_by_row(workspace, tmp_path):
    for number in range(2):
        path = tmp_path / f"{number}.ndjson"
        generate(path, 600, chunk_events=300, seed=number)
        load_files(workspace, [str(path)])
    loads = rows_of(workspace, "select * from {raw}.loads order by commit_order, table_name")
    counts = rows_of(
        workspace, "select table_name, sum(`rows`) from {raw}.loads group by table_name"
    )
    tables = {table: count for table, count in counts if not is_log(table)}
    assert len(tables) > 5

    for table, count in tables.items():
        before = rows(workspace, table)
        drop(workspace, table)

        report = rebuild_table(workspace, table)

        assert (report.rows, report.missing_rows, report.gone) == (count, count, [])
        assert report.warnings == []
        assert rows(workspace, table) == before, table
        assert rebuild_table(workspace, table).missing_rows == 0
    assert loads == rows_of(
        workspace, "select * from {raw}.loads order by commit_order, table_name"
    )
    assert not [file for file in read_manifest(workspace).files if not is_log(file.table_name)]


def test_a_load_that_came_after_the_drop_is_not_brought_twice(workspace, load):
    load(track(1, n=1), track(2, n="x"))
    drop(workspace, "thing")
    load(track(3, n=3))

    report = rebuild_table(workspace, "thing")

    assert report.rows == 2
    found = rows_of(workspace, "select id, n, _rescued from {raw}.thing order by id")
    assert found == [("m1", 1, None), ("m2", None, {"/properties/n": "x"}), ("m3", 3, None)]


def test_a_load_of_which_somebody_deleted_rows_is_named_and_left_alone(workspace, load):
    first = load(track(1), track(2))
    load(track(3))
    rows_of(workspace, "delete from {raw}.thing where id = 'm2'")

    with pytest.raises(LoaderError, match=f"load {first.load_id} brought 2 rows, 1 are there"):
        rebuild_table(workspace, "thing")

    assert rows_of(workspace, "select id from {raw}.thing order by id") == [("m1",), ("m3",)]


def test_a_load_of_which_privacy_leaves_less_today_is_whole(workspace, load):
    load(track(1), track(2))
    drop(workspace, "thing")
    with (workspace.root / "headwater.yml").open("a") as config:
        config.write("\nprivacy: {suppress: gone.txt}\n")
    (workspace.root / "gone.txt").write_text("u2\n")
    today = Workspace(workspace.root)

    reports = [rebuild_table(today, "thing") for _ in range(2)]

    assert [report.rows for report in reports] == [1, 0]
    assert [[found.rows for found in report.changed] for report in reports] == [[1], [1]]
    assert rows_of(workspace, "select id from {raw}.thing") == [("m1",)]


def test_what_was_rebuilt_and_not_yet_sent_is_not_rebuilt_again(tmp_path, emulator, write_ndjson):
    with Proxy(emulator.url).running() as proxy:
        made = on_bigquery(make_workspace(tmp_path / "other"), emulator, base_url=proxy.url)
        workspace = forgetting_nothing(made)
        load_files(workspace, [write_ndjson([track(1), track(2)])])
        drop(workspace, "thing")
        proxy.fail(LOAD, ACCESS_DENIED)
        with pytest.raises(AccessDenied):
            rebuild_table(workspace, "thing")

        report = rebuild_table(workspace, "thing")

        assert report.missing_rows == 0
        found = rows_of(workspace, "select id from {raw}.thing order by id")
        assert found == [("m1",), ("m2",)]
