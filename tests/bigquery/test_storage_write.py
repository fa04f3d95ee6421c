"""Pending streams of the Storage Write API, against the emulator."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.cloud.bigquery import SchemaField, Table

from loader.config import Workspace
from loader.errors import ConfigError, LoaderError, StorageError
from loader.event.values import TIMESTAMP_ARROW
from loader.warehouse.bigquery.client import connect_bigquery
from loader.warehouse.bigquery.storage_write import (
    PendingStreamLost,
    append_pending,
    commit_stream,
)
from tests.bigquery.conftest import on_bigquery
from tests.bigquery.standin import Emulator
from tests.bigquery.wire import Wire
from tests.conftest import make_workspace

COLUMNS = {
    "id": "STRING",
    "received_at": "TIMESTAMP",
    "total": "FLOAT",
    "quantity": "INTEGER",
    "is_new": "BOOLEAN",
    "user_id": "STRING",
    "_rescued": "JSON",
}
AT = datetime(2026, 11, 3, 4, 5, 6, 789_012, tzinfo=UTC)


@pytest.fixture
def bigquery(bigquery_workspace):
    return with_table(bigquery_workspace)


def with_table(workspace: Workspace):
    connection = connect_bigquery(workspace)
    connection.client.create_dataset(connection.config.raw_dataset)
    schema = [SchemaField(name, kind) for name, kind in COLUMNS.items()]
    connection.client.create_table(Table(connection.raw("orders"), schema=schema))
    return connection


def write_rows(path, count, padding=""):
    """So many rows, of which no two are equal, without the column user_id."""
    ids = [f"m-{n}{padding}" for n in range(count)]
    columns = {
        "id": pa.array(ids, pa.string()),
        "received_at": pa.array([AT] * count, TIMESTAMP_ARROW),
        "total": pa.array([n / 4 if n % 3 else None for n in range(count)], pa.float64()),
        "quantity": pa.array(range(count), pa.int64()),
        "is_new": pa.array([n % 2 == 0 for n in range(count)], pa.bool_()),
        "_rescued": pa.array(['{"a": [1, null]}'] * count, pa.string()),
    }
    pq.write_table(pa.table(columns), path)
    return path


def rows_of(bigquery, what="count(*), count(distinct id), sum(quantity)"):
    job = bigquery.query(f"select {what} from `{bigquery.raw('orders')}`")
    return [tuple(row) for row in job.result()]


def whole(count):
    return [(count, count, count * (count - 1) // 2)]


def nothing(name):
    """Of a caller that keeps no names."""


def test_rows_are_visible_with_the_commit_and_not_before(bigquery, tmp_path):
    file = write_rows(tmp_path / "rows.parquet", 50_000)
    names = []

    stream = append_pending(bigquery, "orders", file, None, names.append)
    before = rows_of(bigquery, "count(*)")
    commit_stream(bigquery, "orders", stream)

    assert (names, before, rows_of(bigquery)) == ([stream], [(0,)], whole(50_000))


def test_values_arrive_as_they_are_and_absent_columns_are_null(bigquery, tmp_path):
    file = write_rows(tmp_path / "rows.parquet", 2)

    commit_stream(bigquery, "orders", append_pending(bigquery, "orders", file, None, nothing))

    what = "id, received_at, total, quantity, is_new, user_id, json_query(_rescued, '$.a')"
    assert sorted(rows_of(bigquery, what)) == [
        ("m-0", AT, None, 0, True, None, "[1,null]"),
        ("m-1", AT, 0.25, 1, False, None, "[1,null]"),
    ]


def test_the_name_is_remembered_before_anything_is_sent(bigquery, tmp_path):
    file = write_rows(tmp_path / "rows.parquet", 10)
    names = []

    def remember(name):
        names.append(name)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        append_pending(bigquery, "orders", file, None, remember)
    stream = append_pending(bigquery, "orders", file, names[0], nothing)
    commit_stream(bigquery, "orders", stream)

    assert (stream, rows_of(bigquery)) == (names[0], whole(10))


def test_what_a_killed_run_sent_is_not_sent_again(emulator, tmp_path):
    with Wire(emulator.storage_url) as wire:
        workspace = on_bigquery(
            make_workspace(tmp_path / "workspace"), emulator, storage_url=wire.url
        )
        bigquery = with_table(workspace)
        file = write_rows(tmp_path / "rows.parquet", 60_000, padding="x" * 400)
        names = []
        first = append_pending(bigquery, "orders", file, None, names.append)

        again = append_pending(bigquery, "orders", file, first, names.append)
        commit_stream(bigquery, "orders", again)
        committed = append_pending(bigquery, "orders", file, first, names.append)
        commit_stream(bigquery, "orders", committed)

    assert names == [first] == [again] == [committed]
    assert rows_of(bigquery) == whole(60_000)


@pytest.mark.parametrize("megabytes", [1, 9, 17])
def test_a_connection_that_is_cut_goes_on_at_the_right_row(emulator, tmp_path, megabytes):
    with Wire(emulator.storage_url) as wire:
        workspace = on_bigquery(
            make_workspace(tmp_path / "workspace"), emulator, storage_url=wire.url
        )
        bigquery = with_table(workspace)
        file = write_rows(tmp_path / "rows.parquet", 60_000, padding="x" * 400)

        def remember(name):
            wire.cut_after(megabytes * 1_000_000)

        stream = append_pending(bigquery, "orders", file, None, remember)
        commit_stream(bigquery, "orders", stream)

        assert (wire.cuts, rows_of(bigquery)) == (1, whole(60_000))


def test_a_request_stays_below_the_limit_however_large_rows_are(bigquery, tmp_path):
    file = write_rows(tmp_path / "rows.parquet", 40, padding="x" * 1_000_000)

    commit_stream(bigquery, "orders", append_pending(bigquery, "orders", file, None, nothing))

    assert rows_of(bigquery) == whole(40)


def test_a_row_that_no_request_can_hold_is_named(bigquery, tmp_path):
    file = write_rows(tmp_path / "rows.parquet", 1, padding="x" * 9_000_000)

    with pytest.raises(LoaderError, match=r"orders: a row of 9,\d+,\d+ bytes") as caught:
        append_pending(bigquery, "orders", file, None, nothing)

    assert "load_by: jobs" in caught.value.fix


def test_a_stream_that_is_gone_says_so(tmp_path):
    emulator = Emulator(tmp_path / "emulator").start()
    try:
        bigquery = with_table(on_bigquery(make_workspace(tmp_path / "workspace"), emulator))
        file = write_rows(tmp_path / "rows.parquet", 10)
        stream = append_pending(bigquery, "orders", file, None, nothing)
        emulator.kill()  # it keeps streams in memory: they are gone, as expired ones are
        emulator.start()

        with pytest.raises(PendingStreamLost, match="is gone"):
            append_pending(bigquery, "orders", file, stream, nothing)
        with pytest.raises(PendingStreamLost, match="is gone"):
            commit_stream(bigquery, "orders", stream)
        second = append_pending(bigquery, "orders", file, None, nothing)
        commit_stream(bigquery, "orders", second)

        assert rows_of(bigquery) == whole(10)
    finally:
        emulator.stop()


def test_a_stream_of_another_file_is_never_committed(bigquery, tmp_path):
    few, more = (write_rows(tmp_path / f"{n}.parquet", n) for n in (10, 30_000))
    stream = append_pending(bigquery, "orders", few, None, nothing)

    with pytest.raises(PendingStreamLost, match=r"has 10 rows, and its file 30000"):
        append_pending(bigquery, "orders", more, stream, nothing)


def test_a_stream_that_was_not_finalized_is_refused_with_the_reason(bigquery, tmp_path):
    file = write_rows(tmp_path / "rows.parquet", 10)
    names = []

    def remember(name):
        names.append(name)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        append_pending(bigquery, "orders", file, None, remember)
    with pytest.raises(LoaderError, match="not committed: INVALID_STREAM_STATE"):
        commit_stream(bigquery, "orders", names[0])


def test_a_table_that_is_missing_is_an_error_of_ours(bigquery, tmp_path):
    file = write_rows(tmp_path / "rows.parquet", 10)

    with pytest.raises(ConfigError, match="no_such_table"):
        append_pending(bigquery, "no_such_table", file, None, nothing)


def test_a_damaged_file_is_not_taken_for_a_fault_of_the_network(bigquery, tmp_path):
    file = write_rows(tmp_path / "rows.parquet", 50_000)
    data = bytearray(file.read_bytes())
    data[100:2_000] = bytes(1_900)
    file.write_bytes(data)

    with pytest.raises(StorageError, match=r"rows\.parquet"):
        append_pending(bigquery, "orders", file, None, nothing)
