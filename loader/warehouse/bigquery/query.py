"""One SELECT and its rows, as Python values."""

from collections.abc import Sequence
from typing import Any, Final

from google.cloud.bigquery import SchemaField

from loader.protocol import encode_json
from loader.warehouse.bigquery.client import BigQuery

_WHERE: Final = "query"


def is_select(connection: BigQuery, sql: str) -> bool:
    """Whether `sql` is one statement that only reads: BigQuery tells, and runs nothing."""
    job = connection.dry_run(sql, where=_WHERE, finds_marts=True)
    return bool(job.statement_type == "SELECT")


def fetch(
    connection: BigQuery,
    sql: str,
    max_rows: int | None = None,
    *,
    parameters: Sequence[Any] = (),
    where: str = _WHERE,
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns of `sql`, which may do nothing but read, and its first `max_rows` rows, or all.

    As DuckDB gives them: JSON is text, times with a zone are in UTC.
    """
    job = connection.query(sql, parameters, where=where, finds_marts=True)
    with connection.asking(where):
        found = job.result(max_results=max_rows)
        columns = list(found.schema)
        rows = [
            tuple(_plain(value, column) for value, column in zip(row, columns, strict=True))
            for row in found
        ]
    return [column.name for column in columns], rows


def _plain(value: Any, column: SchemaField) -> Any:
    if column.field_type != "JSON" or value is None:
        return value
    if column.mode == "REPEATED":
        return [encode_json(item).decode() for item in value]
    return encode_json(value).decode()
