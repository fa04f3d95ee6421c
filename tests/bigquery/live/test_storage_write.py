"""What the Storage Write API does where its documentation leaves room; run by `-m live` alone."""

from collections.abc import Callable
from pathlib import Path

import pytest
from google.cloud.bigquery import SchemaField, Table

from loader.config import Workspace
from loader.warehouse.bigquery.client import BigQuery, connect_bigquery
from loader.warehouse.bigquery.storage_write import PendingStreamLost, append_pending, commit_stream
from tests.bigquery.live.conftest import Place
from tests.bigquery.test_storage_write import COLUMNS, whole, write_rows

pytestmark = [
    pytest.mark.live,
    pytest.mark.filterwarnings("ignore:Your application has authenticated using end user"),
]


@pytest.fixture(scope="module")
def connection(make_place: Callable[..., Place]) -> BigQuery:
    place = make_place(load_by="storage_write")
    place.client.create_dataset(place.raw)
    return connect_bigquery(Workspace(place.root))


@pytest.fixture
def table(connection: BigQuery, request: pytest.FixtureRequest) -> str:
    name = request.node.name[:60]
    schema = [SchemaField(column, kind) for column, kind in COLUMNS.items()]
    connection.client.create_table(Table(connection.raw(name), schema=schema))
    return name


def counts(connection: BigQuery, table: str) -> list[tuple[int, ...]]:
    sql = f"select count(*), count(distinct id), sum(quantity) from `{connection.raw(table)}`"
    return [tuple(row) for row in connection.query(sql).result()]


def test_several_requests_go_over_one_connection(
    connection: BigQuery, table: str, tmp_path: Path
) -> None:
    file = write_rows(tmp_path / "rows.parquet", 60_000, padding="x" * 400)

    commit_stream(
        connection, table, append_pending(connection, table, file, None, lambda name: None)
    )

    assert counts(connection, table) == whole(60_000)


def test_a_finalized_stream_is_taken_up(connection: BigQuery, table: str, tmp_path: Path) -> None:
    file = write_rows(tmp_path / "rows.parquet", 1_000)
    names: list[str] = []
    first = append_pending(connection, table, file, None, names.append)

    assert append_pending(connection, table, file, first, names.append) == first
    commit_stream(connection, table, first)
    assert counts(connection, table) == whole(1_000)


def test_a_committed_stream_is_left_alone(connection: BigQuery, table: str, tmp_path: Path) -> None:
    file = write_rows(tmp_path / "rows.parquet", 1_000)
    names: list[str] = []
    stream = append_pending(connection, table, file, None, names.append)

    for _ in range(2):
        commit_stream(connection, table, stream)
        append_pending(connection, table, file, stream, names.append)

    assert counts(connection, table) == whole(1_000)


def test_rows_that_are_there_are_not_taken_twice(
    connection: BigQuery, table: str, tmp_path: Path
) -> None:
    few = write_rows(tmp_path / "few.parquet", 16_384)
    names: list[str] = []

    class Killed(Exception):
        pass

    def die(name: str) -> None:
        names.append(name)
        raise Killed

    with pytest.raises(Killed):
        append_pending(connection, table, few, None, die)
    from loader.warehouse.bigquery import storage_write  # noqa: PLC0415 - its inner half

    upload = storage_write._Upload(connection, "live", few)
    upload.go_on(names[0])
    again = append_pending(connection, table, few, names[0], names.append)
    commit_stream(connection, table, again)

    assert counts(connection, table) == whole(16_384)


def test_a_stream_that_never_was_is_lost(connection: BigQuery, table: str, tmp_path: Path) -> None:
    file = write_rows(tmp_path / "rows.parquet", 10)
    real = append_pending(connection, table, file, None, lambda name: None)
    gone = real[:-4] + "0000"

    with pytest.raises(PendingStreamLost):
        append_pending(connection, table, file, gone, lambda name: None)


def test_a_column_that_was_added_a_moment_ago_is_known(
    connection: BigQuery, tmp_path: Path
) -> None:
    file = write_rows(tmp_path / "rows.parquet", 10)
    schema = [SchemaField(name, kind) for name, kind in COLUMNS.items() if name != "is_new"]
    connection.client.create_table(Table(connection.raw("grown"), schema=schema))
    connection.query(f"alter table `{connection.raw('grown')}` add column is_new bool")

    stream = append_pending(connection, "grown", file, None, lambda name: None)
    commit_stream(connection, "grown", stream)

    assert counts(connection, "grown") == whole(10)
