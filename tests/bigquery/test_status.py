"""`headwater status` on BigQuery: rows from metadata, and what the last runs read."""

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from google.cloud import bigquery

from loader.cli import main
from loader.status import read_status
from loader.warehouse import repair
from loader.warehouse.bigquery.usage import metered
from loader.warehouse.usage import RunBytes, read_usage, usage_file
from tests.bigquery.place import users
from tests.bigquery.standin import PROJECT


@pytest.fixture
def place(marts):
    repair(marts.workspace)
    return marts


def test_raw_tables_tell_their_rows_without_a_query(place):
    dataset = bigquery.Dataset(f"{PROJECT}.raw_{place.dataset}")
    dataset.location = "EU"
    place.bigquery.client.create_dataset(dataset)
    for table, rows in (("tracks", 3), ("pages", 0)):
        statement = f"select i from unnest(generate_array(1, {rows})) as i"
        place.bigquery.query(f"create table `{place.bigquery.raw(table)}` as {statement}")

    found = read_status(place.workspace)

    assert {table.name: table.rows for table in found.tables} == {"pages": 0, "tracks": 3}
    assert (found.notes, read_usage(place.workspace)) == ([], [])


def test_before_the_first_load_there_are_no_raw_tables(place):
    found = read_status(place.workspace)

    assert (found.tables, found.notes) == ([], [])


def test_without_bigquery_the_local_part_is_told_with_a_note(place):
    place.configure(
        warehouse={"base_url": "http://127.0.0.1:9"},  # where nobody listens
        users={"model": "users", "key": {"email": "email"}},
    )

    found = read_status(place.workspace)

    assert [sync.state for sync in found.syncs] == ["never ran"]
    assert found.tables == []
    assert "BigQuery's raw tables are left out" in found.notes[0]


def test_the_last_run_of_each_command_is_shown_with_its_bytes(place):
    place.publish(users=users(("a@x", "pro", 1)))
    place.run()
    with metered(place.workspace, "query") as connection:
        connection.usage.processed, connection.usage.billed = 5, 10
    target = place.workspace.dbt / "target"
    target.mkdir(parents=True)
    answers = [{"bytes_processed": 100, "bytes_billed": 200}, {"bytes_processed": 1}, {}]
    results = [{"status": "success", "adapter_response": answer} for answer in answers]
    generated = {"generated_at": "2026-11-25T10:00:00Z"}
    (target / "run_results.json").write_text(
        json.dumps({"metadata": generated, "results": results})
    )

    found = {run.command: run for run in read_status(place.workspace).bytes}

    assert found.keys() == {"query", "sync users", "transform"}
    assert (found["query"].bytes_processed, found["query"].bytes_billed) == (5, 10)
    ended_at = datetime(2026, 11, 25, 10, tzinfo=UTC)
    assert found["transform"] == RunBytes("transform", ended_at, 101, 200)


def test_what_it_prints_tells_bytes_and_what_waits(place, capsys):
    with metered(place.workspace, "query") as connection:
        connection.usage.processed, connection.usage.billed = 5_000_000, 10_485_760

    assert main(["status", "--workspace", str(place.workspace.root)]) == 0

    printed = capsys.readouterr().out
    assert "to BigQuery: 0 rows wait; last shipped: never" in printed
    [row] = [line for line in printed.splitlines() if "query" in line]
    assert [cell.strip() for cell in row.split("│")][3:5] == ["5.0", "10.5"]


def test_few_runs_of_a_command_are_remembered_the_failed_ones_too(place):
    for number in range(30):
        with suppress(KeyError), metered(place.workspace, "query") as connection:
            connection.usage.processed = number
            raise KeyError

    runs = read_usage(place.workspace)

    assert [run.bytes_processed for run in runs] == list(range(10, 30))


def test_a_damaged_file_of_bytes_stops_nothing(place):
    usage_file(place.workspace).write_text("{")

    assert read_status(place.workspace).bytes == []
