"""BigQuery's side of raw tables: how they are made, and how they follow the columns of loads."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from google.api_core import exceptions
from google.cloud import bigquery

from loader.errors import ConfigError, LoaderError
from loader.event.values import ColumnType
from loader.warehouse.bigquery.client import ASKED, BigQuery, quote_name
from loader.warehouse.bigquery.datasets import ensure_dataset
from loader.warehouse.bigquery.errors import REFUSALS
from loader.warehouse.catalog import is_log

Columns = Mapping[str, str]  # name -> type, as tables.get spells it

TYPES: Final = {
    ColumnType.TEXT: "STRING",
    ColumnType.INT: "INTEGER",
    ColumnType.FLOAT: "FLOAT",
    ColumnType.BOOL: "BOOLEAN",
    ColumnType.TIMESTAMP: "TIMESTAMP",
    ColumnType.JSON: "JSON",
}
SQL_TYPES: Final = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
_PARTITIONED_BY: Final = {"schema_changes": "changed_at"}
_CLUSTERED_BY: Final = {"tracks": ("event", "user_id"), "violations": ("rule",)}
_DAY_MILLISECONDS: Final = 86_400_000
_WAITING_KEPT: Final = timedelta(days=3)
_ADDED_AT_ONCE: Final = 500  # a statement is 1 MB at most


# Where a table of events asks for a condition on its days, this one leaves nothing out.
ALL_DAYS: Final = "received_at >= timestamp '0001-01-01 00:00:00+00'"


class TypesDiffer(ConfigError):
    """A column that can't hold what waits here for it."""


def ensure_raw_dataset(connection: BigQuery) -> None:
    """Create the dataset of raw tables unless it is there."""
    ensure_dataset(connection, connection.config.raw_dataset)


def ensure_table(
    connection: BigQuery, table: str, columns: Columns, *, kept_days: int | None = None
) -> tuple[Columns, bool]:
    """Let raw `table` have `columns`; the columns that it has then, and whether it was made.

    A table that is made keeps its days for `kept_days`, for ever without it. A column of whole
    numbers becomes one of fractions where that is wanted. TypesDiffer for any other difference of
    types: nothing is loaded into a table that means something else.
    """
    where = f"table {connection.raw(table)}"
    with connection.asking(where):
        try:
            found = connection.client.get_table(connection.raw(table), **ASKED)
        except exceptions.NotFound:
            wanted = _new_table(connection, table, columns, kept_days)
            made = connection.client.create_table(wanted, **ASKED)
            return _columns_of(made), True
        if missing := {n: kind for n, kind in columns.items() if n not in _columns_of(found)}:
            found = _add_columns(connection, table, missing)
    widened = _to_widen(where, _columns_of(found), columns)
    for name in widened:
        _alter(connection, table, f"alter column {quote_name(name)} set data type float64")
    return {**_columns_of(found), **dict.fromkeys(widened, "FLOAT")}, False


def make_waiting_table(connection: BigQuery, name: str, columns: Columns) -> None:
    """A table for the rows of one load on their way to another one, whose JSON is text here."""
    schema = [
        bigquery.SchemaField(name, "STRING" if kind == "JSON" else kind)
        for name, kind in columns.items()
    ]
    table = bigquery.Table(connection.raw(name), schema=schema)
    table.expires = datetime.now(UTC) + _WAITING_KEPT
    with connection.asking(f"table {connection.raw(name)}"):
        connection.client.create_table(table, exists_ok=True, **ASKED)


def drop_waiting_table(connection: BigQuery, name: str) -> None:
    """Remove it; if that fails, it goes by itself."""
    with suppress(*REFUSALS):
        connection.client.delete_table(connection.raw(name), not_found_ok=True, **ASKED)


def partition_column(table: str) -> str:
    """The column by whose days the raw table is partitioned."""
    return _PARTITIONED_BY.get(table, "received_at")


def clustered_by(table: str) -> tuple[str, ...]:
    """The columns that the raw table is clustered by; none of a small log."""
    return _CLUSTERED_BY.get(table, () if is_log(table) else ("user_id",))


def retyped_name(column: str) -> str:
    """Where a column's values of a new type are until they have its name."""
    return f"_retyped_{column}"


def retired_name(column: str) -> str:
    """Where those of the old type are after that, until none is missing."""
    return f"_retired_{column}"


def _new_table(
    connection: BigQuery, table: str, columns: Columns, kept_days: int | None
) -> bigquery.Table:
    schema = [bigquery.SchemaField(name, kind) for name, kind in columns.items()]
    made = bigquery.Table(connection.raw(table), schema=schema)
    made.time_partitioning = bigquery.TimePartitioning(
        field=partition_column(table),
        expiration_ms=kept_days * _DAY_MILLISECONDS if kept_days else None,
    )
    if columns_to_cluster := clustered_by(table):
        made.clustering_fields = list(columns_to_cluster)
    made.require_partition_filter = connection.config.require_partition_filter and not is_log(table)
    return made


def _columns_of(table: bigquery.Table) -> Columns:
    return {field.name: field.field_type for field in table.schema}


def _add_columns(connection: BigQuery, table: str, missing: Columns) -> bigquery.Table:
    """Add them all at once, since a table may be changed five times in ten seconds at most."""
    adds = [
        f"add column if not exists {quote_name(name)} {SQL_TYPES.get(kind, kind)}"
        for name, kind in missing.items()
    ]
    for start in range(0, len(adds), _ADDED_AT_ONCE):
        some = adds[start : start + _ADDED_AT_ONCE]
        try:
            _alter(connection, table, ", ".join(some))
        except LoaderError:  # BigQuery takes them; what stands in for it may take one at a time
            if len(some) == 1:
                raise
            for add in some:
                _alter(connection, table, add)
    return connection.client.get_table(connection.raw(table), **ASKED)


def _alter(connection: BigQuery, table: str, change: str) -> None:
    statement = f"alter table {quote_name(connection.raw(table))} {change}"
    connection.query(statement, where=f"load: table {connection.raw(table)}")


def _to_widen(where: str, found: Columns, wanted: Columns) -> list[str]:
    widened = []
    for name, kind in wanted.items():
        has = found.get(name, kind)
        if (has, kind) == ("INTEGER", "FLOAT") and retired_name(name) not in found:
            widened.append(name)
        elif has != kind and not _holds(has, kind):
            raise TypesDiffer(
                f"{where}: the column {name} is {has} there, and {kind} by the events loaded here",
                fix="give it one type in schemas/, then `headwater compact --retype TABLE COLUMN` "
                "where it differs",
            )
    return widened


def _holds(has: str, kind: str) -> bool:
    """Whether a column of type `has` holds any value of type `kind`, cast."""
    return has == "STRING" or (has, kind) == ("FLOAT", "INTEGER")
