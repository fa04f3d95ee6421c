"""What BigQuery refuses and its stand-in doesn't, and names that two workspaces must not share."""

import time
from datetime import date, timedelta

import pytest

from loader.cli import main
from loader.errors import ConfigError, StorageError
from loader.load import load_files
from loader.warehouse.bigquery import client, commit
from loader.warehouse.bigquery.client import connect_bigquery
from loader.warehouse.bigquery.shipment import read_shipping
from tests.bigquery.asking import rows_of
from tests.bigquery.conftest import on_bigquery
from tests.bigquery.models import add_models
from tests.conftest import make_workspace

DAYS = [date(2026, 1, 1) + timedelta(n) for n in range(300)]


def page(number):
    return {"type": "page", "userId": "u1", "messageId": f"m{number}"}


def test_a_load_without_days_has_an_empty_list_of_days():
    statements = commit._statements(
        "`p.raw.loads`", "`p.raw.c`", [commit.LoadRow(1, "t", [], 3, 5)]
    )

    assert any("array<date>[] as dates" in one for one in statements)  # a plain [] is of numbers


@pytest.fixture
def moved(tmp_path, emulator, write_ndjson):
    """A workspace that loads a page on DuckDB, whose loads are numbered from 1, and is switched."""

    def move(number, **settings):
        workspace = make_workspace(tmp_path / f"workspace{number}")
        load_files(workspace, [write_ndjson([page(number)], f"{number}.ndjson")])
        return on_bigquery(workspace, emulator, **settings)

    return move


def test_two_workspaces_that_were_on_duckdb_lose_nothing_in_one_project(moved):
    for workspace in (moved(1), moved(2)):
        load_files(workspace, [])

        [[found]] = rows_of(workspace, "select count(*) from {raw}.pages")
        assert found == 1


def test_nor_are_they_mixed_in_one_dataset(moved):
    first = moved(1)
    load_files(first, [])
    second = moved(2, raw_dataset=first.config.warehouse.raw_dataset)

    with pytest.raises(ConfigError, match="loads numbered like those here"):
        load_files(second, [])

    assert rows_of(first, "select id from {raw}.pages") == [("m1",)]


def test_what_is_there_is_not_sent_again_when_the_note_of_it_was_lost(
    bigquery_workspace, write_ndjson
):
    load_files(bigquery_workspace, [write_ndjson([page(1), {**page(2), "userId": None}])])
    bigquery_workspace.shipping.unlink()

    report = load_files(bigquery_workspace, [write_ndjson([page(3)])])

    assert any("only later ones are sent" in told for told in report.warnings)
    assert rows_of(bigquery_workspace, "select id from {raw}.pages order by 1") == [
        ("m1",),
        ("m3",),
    ]
    assert rows_of(bigquery_workspace, "select count(*) from {raw}.violations") == [(1,)]


@pytest.mark.parametrize(
    "written", ["", "{}", "[]", '{"format_version": 1, "shipment": null, "x": 1}']
)
def test_a_damaged_note_is_told(bigquery_workspace, written):
    path = bigquery_workspace.shipping
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(written)

    with pytest.raises(StorageError, match=r"shipping\.json: "):
        read_shipping(bigquery_workspace)


def test_loads_whose_log_was_dropped_count_again(bigquery_workspace, write_ndjson):
    orders = "select distinct load_id, commit_order from {raw}.loads order by commit_order"
    for number in (1, 2):
        load_files(bigquery_workspace, [write_ndjson([page(number)], f"{number}.ndjson")])
    before = rows_of(bigquery_workspace, orders)
    rows_of(bigquery_workspace, "drop table {raw}.loads")

    report = load_files(bigquery_workspace, [write_ndjson([page(3)], "3.ndjson")])

    assert any("the log that is kept here" in told for told in report.warnings)
    found = [load_id for load_id, _ in rows_of(bigquery_workspace, orders)]
    assert found[:2] == [load_id for load_id, _ in before]
    assert len(found) == 3
    uncounted = "select id from {raw}.pages where load_id not in (select load_id from {raw}.loads)"
    assert rows_of(bigquery_workspace, uncounted) == []
    assert load_files(bigquery_workspace, []).warnings == []


def test_a_dataset_that_was_deleted_has_its_logs_again_and_each_lost_table_is_told(
    bigquery_workspace, write_ndjson
):
    load_files(bigquery_workspace, [write_ndjson([page(1), {**page(2), "userId": ""}], "1")])
    connection = connect_bigquery(bigquery_workspace)
    raw = f"{connection.config.project}.{connection.config.raw_dataset}"
    connection.client.delete_dataset(raw, delete_contents=True)

    report = load_files(bigquery_workspace, [write_ndjson([page(3)], "2")])

    told = "\n".join(report.warnings)
    assert "`headwater load --rebuild pages`" in told
    assert "`headwater load --rebuild order_completed`" in told
    assert "--rebuild violations" not in told
    assert rows_of(bigquery_workspace, "select rule from {raw}.violations") == [("no_identity",)]
    loads = "select count(distinct load_id) from {raw}.loads"
    assert rows_of(bigquery_workspace, loads) == [(2,)]


def test_a_commit_is_never_too_long_for_bigquery():
    """A day without a connection, at a load a minute; then three hundred days in 1,200 tables."""
    many = [
        commit.LoadRow(load, f"t{n}", DAYS[:2], 9, 1) for load in range(1_440) for n in range(30)
    ]
    wide = [commit.LoadRow(9_999, f"table_{n}", DAYS, 9, 1) for n in range(1_200)]

    parts = list(commit._cut([*many, *wide]))

    assert [row for part in parts for row in part] == [*many, *wide]
    scripts = [";".join(commit._statements("`p.raw.loads`", "`p.raw.c`", part)) for part in parts]
    assert max(map(len, scripts)) < 1_000_000
    loads = [{row.load_id for row in part} for part in parts]
    assert sum(map(len, loads)) == 1_441  # none is cut


@pytest.mark.parametrize("command", [["query", "select 1"], ["transform"], ["doctor"]])
def test_where_nobody_listens_a_command_says_so_soon(
    tmp_path, emulator, capsys, monkeypatch, command
):
    monkeypatch.setattr(client, "_BRIEFLY", client._BRIEFLY.with_timeout(0.5))
    nobody = "http://127.0.0.1:1"
    workspace = make_workspace(tmp_path / "workspace")
    workspace = add_models(on_bigquery(workspace, emulator, base_url=nobody, storage_url=nobody))
    started = time.monotonic()

    assert main([*command, "--workspace", str(workspace.root)]) == 1

    assert time.monotonic() - started < 10
    told = capsys.readouterr()
    assert "Connection refused" in told.out + told.err
