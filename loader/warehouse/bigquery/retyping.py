"""Columns of raw tables in BigQuery that took another type: the catalog here follows them.

What a table in BigQuery holds is rewritten there, by a statement that a person runs: it is billed
for the whole table, and what other loaders commit meanwhile would be lost.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from google.api_core import exceptions

from loader.config import Workspace
from loader.errors import ConfigError, Unavailable
from loader.event.values import ColumnType
from loader.locks import exclusive
from loader.warehouse.bigquery.client import BigQuery, connect_bigquery, quote_name
from loader.warehouse.bigquery.errors import REFUSALS, refused
from loader.warehouse.bigquery.shipment import read_shipping, waiting_files
from loader.warehouse.bigquery.tables import SQL_TYPES, TYPES, clustered_by, partition_column
from loader.warehouse.lake import sweep
from loader.warehouse.manifest import Manifest, commit_manifest, read_manifest
from loader.warehouse.outbox import lake_writer, outgoing_name
from loader.warehouse.retype import RetypedColumn, RetypeReport, chosen_columns, tables_with
from loader.warehouse.schema_changes import SchemaChange, write_changes

_KINDS: Final = {there: kind for kind, there in TYPES.items()}


def follow_types(
    workspace: Workspace,
    table: str,
    column: str | None = None,
    wanted: Mapping[str, ColumnType] | None = None,
) -> RetypeReport:
    """Let the columns that events added to `table`, or one of them, have BigQuery's types here.

    Raises ConfigError, with the statement to run there, for a column that has not the type
    `wanted`; Unavailable while rows of the table wait here, and errors as `refused` gives. Then
    nothing has changed.
    """
    started = time.monotonic()
    lock = workspace.home / "load.lock"
    with exclusive(lock, "load", wait=True) as was_killed:
        manifest = read_manifest(workspace)
        if was_killed:
            sweep(workspace, manifest)
        names = chosen_columns(manifest.catalog, table, column)
        tables = tables_with(manifest.catalog, table, column)
        _refuse_while_waiting(workspace, manifest, tables)
        there = _types_there(connect_bigquery(workspace), tables, names)
        changes = _changes(manifest, table, there)
        _refuse_unmet(workspace, tables, there, wanted or {})
        if changes:
            _commit(workspace, manifest, tables, changes)
    columns = [RetypedColumn(table, name, *kinds, 0, 0) for name, kinds in changes.items()]
    return RetypeReport(columns, round(time.monotonic() - started, 3))


def _refuse_while_waiting(workspace: Workspace, manifest: Manifest, tables: Sequence[str]) -> None:
    waiting = waiting_files(manifest, read_shipping(workspace))
    rows = sum(file.rows for file in waiting if file.table_name in tables)
    if rows:
        raise Unavailable(
            f"retype {tables[0]}: {rows:,} rows wait here for BigQuery, with the types of now",
            fix="send them with `headwater load`, then repeat",
        )


def _types_there(
    connection: BigQuery, tables: Sequence[str], names: Sequence[str]
) -> dict[str, dict[str, ColumnType]]:
    """By column: the type that it has in each table of BigQuery that has it."""
    found: dict[str, dict[str, ColumnType]] = {name: {} for name in names}
    for table in tables:
        where = f"retype: table {connection.raw(table)}"
        try:
            schema = connection.client.get_table(connection.raw(table)).schema
        except exceptions.NotFound:
            continue
        except REFUSALS as problem:
            raise refused(where, problem, location=connection.config.location) from problem
        kinds = {field.name: field.field_type for field in schema}
        for name in names:
            if kind := _KINDS.get(kinds.get(outgoing_name(name), "")):
                found[name][table] = kind
    return found


def _changes(
    manifest: Manifest, table: str, there: Mapping[str, Mapping[str, ColumnType]]
) -> dict[str, tuple[ColumnType, ColumnType]]:
    """The columns with one type in all tables that is another than the catalog's: old, new."""
    types = manifest.catalog.types()[table]
    return {
        name: (types[name], next(iter(kinds.values())))
        for name, kinds in there.items()
        if len(set(kinds.values())) == 1 and types[name] not in kinds.values()
    }


def _refuse_unmet(
    workspace: Workspace,
    tables: Sequence[str],
    there: Mapping[str, Mapping[str, ColumnType]],
    wanted: Mapping[str, ColumnType],
) -> None:
    for name, kinds in there.items():
        first = wanted.get(name) or next(iter(kinds.values()), None)
        for table in tables:
            kind = kinds.get(table)
            if first is not None and kind is not None and kind is not first:
                connection = connect_bigquery(workspace)
                raise ConfigError(
                    f"retype {table} {name}: the column is {TYPES[kind]} in BigQuery, wanted "
                    f"{TYPES[first]}",
                    fix="while nothing is loaded, run this there, which is billed for the whole "
                    f"table, then repeat: {statement(connection, table, name, first)}",
                )


def statement(connection: BigQuery, table: str, name: str, kind: ColumnType) -> str:
    """What gives a column in BigQuery another type; what doesn't fit goes to `_rescued`."""
    column, whole = quote_name(outgoing_name(name)), quote_name(connection.raw(table))
    cast = f"safe_cast({column} as {SQL_TYPES.get(TYPES[kind], TYPES[kind])})"
    pointer = f"""'$."/properties/{name}"'"""
    if name.startswith("context_"):
        pointer = f"""'$."/context/{name.removeprefix("context_")}"'"""
    rescued = f"json_set(ifnull(_rescued, json '{{}}'), {pointer}, {column})"
    required = connection.config.require_partition_filter
    options = "options (require_partition_filter = true) " if required else ""
    where = f" where {partition_column(table)} >= timestamp '0001-01-01'" if required else ""
    return (
        f"create or replace table {whole} partition by date({partition_column(table)}) "
        f"cluster by {', '.join(clustered_by(table))} {options}as select * replace "
        f"({cast} as {column}, if({column} is not null and {cast} is null, {rescued}, _rescued) "
        f"as _rescued) from {whole}{where}"
    )


def _commit(
    workspace: Workspace,
    manifest: Manifest,
    tables: Sequence[str],
    changes: Mapping[str, tuple[ColumnType, ColumnType]],
) -> None:
    for name, (_, new) in changes.items():
        manifest.catalog.retype(tables, name, new)
    rows = [
        SchemaChange(table, name, "retyped", *kinds)
        for table in tables
        for name, kinds in changes.items()
    ]
    lake = lake_writer(workspace, manifest.next_load_id, datetime.now(UTC).date())
    try:
        write_changes(lake, manifest.catalog, rows, load_id=manifest.next_load_id)
        manifest.files += lake.files()
        lake.place()
    finally:
        lake.close()
    manifest.version += 1
    manifest.next_load_id += 1
    commit_manifest(workspace, manifest)
