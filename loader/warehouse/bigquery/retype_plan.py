"""Which types columns take: by what their tables in BigQuery hold, and files that wait here."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from loader.config import Workspace
from loader.event.values import ColumnType
from loader.warehouse.bigquery.client import quote_name
from loader.warehouse.bigquery.retyped_column import (
    RESCUED,
    StoredTable,
    has_any,
    pointer_parameters,
)
from loader.warehouse.bigquery.tables import ALL_DAYS
from loader.warehouse.catalog import Catalog
from loader.warehouse.manifest import LakeFile
from loader.warehouse.outbox import outgoing_name
from loader.warehouse.retype import Survey, survey_rows
from loader.warehouse.rewriting import column_at

BATCH_ROWS: Final = 65_536
_INT, _FLOAT = ColumnType.INT, ColumnType.FLOAT
# All keys of `_rescued` as JSON has them; what stands deeper may look like one, which is no harm.
_KEYS: Final = r"""regexp_extract_all({rescued}, r'"/(?:[^"\\]|\\.)*"')"""

Keys = Mapping[str, Collection[str]]  # column -> keys of `_rescued` that may hold its values


def keys_of(table: StoredTable, names: Collection[str]) -> Keys:
    """By column: the keys in `_rescued` of `table`, as JSON has them, the first to come first."""
    sql = (
        f"select key from {table.sql}, unnest({_KEYS.format(rescued=RESCUED)}) as key "
        f"where {ALL_DAYS} and _rescued is not null "
        "group by key order by min(load_id), min(_seq)"
    )
    found: dict[str, list[str]] = {name: [] for name in names}
    for batch in table.rows(sql) if found else ():
        for key in batch.column("key").to_pylist():
            with suppress(msgspec.DecodeError):  # no key, but a part of some text
                name = column_at(msgspec.json.decode(key), table.name)
                if name in found:
                    found[name].append(key)
    return found


def decoded(keys: Collection[str]) -> list[str]:
    """The pointers that `keys` are in JSON."""
    return [msgspec.json.decode(key) for key in keys]


def survey_columns(
    workspace: Workspace,
    tables: Iterable[tuple[StoredTable, Keys]],
    waiting: Collection[LakeFile],
    types: Mapping[str, ColumnType],
) -> dict[str, Survey]:
    """What `_rescued` holds of the columns in `types`, which are the catalog's, there and here."""
    held = {name: set[ColumnType]() for name in types}
    for table, _ in tables:
        for name, kinds in held.items():
            if kind := table.kind_of(outgoing_name(name)):
                kinds.add(kind)
    if waiting:
        for name, kinds in held.items():
            kinds.add(types[name])
    surveys = {name: Survey(_common(held[name], types[name])) for name in types}
    for table, keys in tables:
        for batch in _rows_with(table, keys):
            survey_rows(batch, table.name, surveys)
    for file in waiting:
        for batch in waiting_rows(workspace, file, list(types)):
            survey_rows(batch, file.table_name, surveys)
    return surveys


def narrowest(
    name: str, survey: Survey, tables: Collection[StoredTable], catalog: Catalog
) -> ColumnType:
    """The type that fits all values of the column `name`, those in `_rescued` too."""
    if survey.old is _INT and survey.fits.get(_INT, 0) == survey.values:
        return _INT
    has_big_ints = survey.old in (_INT, _FLOAT) and has_big_ints_in(name, tables, catalog)
    if survey.old is _FLOAT and has_big_ints:
        return ColumnType.TEXT
    return survey.best(has_big_ints=has_big_ints)


def has_big_ints_in(name: str, tables: Collection[StoredTable], catalog: Catalog) -> bool:
    """Whether some column `name` of whole numbers has one that no float could be."""
    state = next((catalog.state_of(table.name, name) for table in tables), None)
    if state is not None and state.type is _INT and state.has_big_ints:
        return True
    return any(
        table.has_big_ints(name) for table in tables if table.kind_of(outgoing_name(name)) is _INT
    )


def waiting_rows(
    workspace: Workspace, file: LakeFile, names: Collection[str]
) -> Iterator[pa.RecordBatch]:
    """Of the file's rows `_rescued` and what it has of `names`, called as they are here."""
    # A file of the time on DuckDB has the names that columns have here.
    called = {outgoing_name(name): name for name in names} | {name: name for name in names}
    with pq.ParquetFile(workspace.lake / file.file) as stored:
        there = [n for n in stored.schema_arrow.names if n in called or n == "_rescued"]
        for batch in stored.iter_batches(BATCH_ROWS, columns=there) if "_rescued" in there else ():
            yield batch.rename_columns([called.get(n, n) for n in batch.schema.names])


def _rows_with(table: StoredTable, keys: Keys) -> Iterator[pa.RecordBatch]:
    """Of rows with any of `keys` the columns that the table has, called as they are here."""
    wanted = sorted({key for found in keys.values() for key in found})
    if not wanted:
        return
    names = [name for name in keys if table.kind_of(outgoing_name(name))]
    columns = "".join(f"{quote_name(outgoing_name(name))}, " for name in names)
    sql = (
        f"select {columns}{RESCUED} as _rescued from {table.sql} "
        f"where {ALL_DAYS} and _rescued is not null and {has_any(wanted)}"
    )
    for batch in table.rows(sql, pointer_parameters(wanted)):
        yield batch.rename_columns([*names, "_rescued"])


def _common(kinds: Collection[ColumnType], otherwise: ColumnType) -> ColumnType:
    """The narrowest type that takes values of all `kinds`, but for ints too big for a float."""
    if len(kinds) <= 1:
        return next(iter(kinds), otherwise)
    return _FLOAT if set(kinds) == {_INT, _FLOAT} else ColumnType.TEXT
