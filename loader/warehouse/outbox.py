"""What a load writes for BigQuery: one file a table, under the names and in the order there.

BigQuery cuts days itself, so a file holds all of a load's rows of a table. Only rows with a JSON
value are apart: load jobs take no JSON from Parquet, so these go by way of another table.
"""

import secrets
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loader.config import Workspace
from loader.durable import refused, sync
from loader.errors import LoaderError
from loader.event.values import ARROW, ColumnType
from loader.warehouse.catalog import Catalog, fixed_columns, is_log
from loader.warehouse.lake import LakeWriter, parquet_options
from loader.warehouse.manifest import LakeFile, Manifest

JSON_COLUMNS: Final = ("_rescued", "payload")
MAX_DAYS: Final = 4_000  # partitions that one job may write to
LOADS_EACH: Final = 1_000_000_000  # load ids of one loader: its number times this, and count
MAX_LOADERS: Final = 9_000_000_000  # so that ids fit 64 bits


def lake_writer(workspace: Workspace, load_id: int, today: date) -> LakeWriter:
    """What writes the files of load `load_id`, begun `today`, for the workspace's warehouse."""
    if workspace.config.warehouse.is_bigquery:
        return OutboxWriter(workspace, load_id, today)
    return LakeWriter(workspace, load_id)


def number_loads(workspace: Workspace, manifest: Manifest) -> None:
    """Let load ids be like no other loader's, before the first load of a workspace.

    Several may load into one dataset of BigQuery, and jobs there are named for their loads.
    """
    is_new = manifest.next_load_id == 1 and not manifest.files
    if workspace.config.warehouse.is_bigquery and is_new:
        loader = 1 + secrets.randbelow(MAX_LOADERS - 1)
        manifest.next_load_id = loader * LOADS_EACH + 1


def outgoing_name(name: str) -> str:
    """The column's name in BigQuery, where none may begin with a digit."""
    return f"_{name}" if name[:1].isdigit() else name


def outgoing_columns(catalog: Catalog, table: str) -> dict[str, tuple[str, ColumnType]]:
    """Every column of `table` with its name and type in BigQuery.

    In the order in which they came to be, as ALTER TABLE adds columns at a table's end.
    """
    kinds = {name: kind for name, (_, kind) in catalog.columns_of(table).items()}
    order = [*fixed_columns(table), *catalog.tables[table].field_ids]
    return {name: (outgoing_name(name), kinds[name]) for name in order}


@dataclass(slots=True)
class _OpenFile:
    number: int
    writer: pq.ParquetWriter
    rows: int = 0


class OutboxWriter(LakeWriter):
    """Writes one load's files for BigQuery; logs, which are kept here too, as the lake does."""

    def __init__(self, workspace: Workspace, load_id: int, today: date) -> None:
        super().__init__(workspace, load_id)
        self._today = today.isoformat()
        self._open: dict[tuple[str, bool], _OpenFile] = {}
        self._days: dict[str, set[date]] = {}
        # Rows of a table follow each other in its file, so each table has one thread.
        self._threads = [ThreadPoolExecutor(1, "outbox") for _ in range(2)]

    def write(self, table: str, rows: pa.Table, dates: pa.Array, catalog: Catalog) -> None:
        """Write `rows` of `table`; as `LakeWriter.write`, but days are those of `received_at`."""
        if is_log(table):
            super().write(table, rows, dates, catalog)
            return
        typed = _as_outgoing(rows, outgoing_columns(catalog, table))
        days = pc.unique(pc.cast(typed["received_at"], pa.date32()))
        self._days.setdefault(table, set()).update(days.to_pylist())
        thread = self._threads[hash(table) % len(self._threads)]
        self._pending.append(thread.submit(self._append, table, typed))

    def files(self) -> list[LakeFile]:
        """What was written, once all of it is."""
        self.wait()
        for key in list(self._open):
            self._close_file(key)
        for table, days in self._days.items():
            if len(days) > MAX_DAYS:
                raise LoaderError(
                    f"{table}: events of {len(days):,} days in one load, BigQuery takes "
                    f"{MAX_DAYS:,} partitions at a time; nothing was loaded",
                    fix="load them in parts, a few years at a time",
                )
        return self._files

    def days_of(self, table: str) -> set[date]:
        """The partitions of `table` that were written to."""
        return super().days_of(table) if is_log(table) else self._days.get(table, set())

    def close(self) -> None:
        """Let no thread go on writing."""
        super().close()
        for thread in self._threads:
            thread.shutdown(cancel_futures=True)

    def _append(self, table: str, rows: pa.Table) -> None:
        for has_json, part in split_by_json(rows):
            self._append_to(table, part, has_json=has_json)

    def _append_to(self, table: str, rows: pa.Table, *, has_json: bool) -> None:
        key = (table, has_json)
        try:
            found = self._open.get(key)
            if found and found.writer.schema != rows.schema:
                self._close_file(key)  # a column came, or became wider
                found = None
            if found is None:
                number = self._name_file(table, self._today, 0)
                draft = self._draft(number)
                draft.parent.mkdir(parents=True, exist_ok=True)
                writer = pq.ParquetWriter(str(draft), rows.schema, **parquet_options(rows))
                found = self._open[key] = _OpenFile(number, writer)
            found.writer.write_table(rows)
            found.rows += len(rows)
        except OSError as problem:
            raise refused(self._lake, problem) from problem

    def _close_file(self, key: tuple[str, bool]) -> None:
        done = self._open.pop(key)
        try:
            done.writer.close()
            sync(self._draft(done.number))
        except OSError as problem:
            raise refused(self._lake, problem) from problem
        self._files[done.number] = replace(self._files[done.number], rows=done.rows)


def split_by_json(rows: pa.Table) -> Iterator[tuple[bool, pa.Table]]:
    """Rows of events with something in `_rescued`, and those without: whether they have, and they.

    What has none is left out; rows without come without that column.
    """
    has_json = pc.is_valid(rows["_rescued"])
    if pc.any(has_json).as_py():
        yield True, rows.filter(has_json)
        rows = rows.filter(pc.invert(has_json))
    if len(rows):
        yield False, rows.drop_columns("_rescued")


def json_column(names: Collection[str]) -> str | None:
    """Of the columns `names` of a table the one that holds JSON, if any does."""
    return next((name for name in JSON_COLUMNS if name in names), None)


def _as_outgoing(rows: pa.Table, columns: Mapping[str, tuple[str, ColumnType]]) -> pa.Table:
    """`rows` with all of `columns`, null where they have none."""
    found = set(rows.column_names)
    arrays, fields = [], []
    for name, (outgoing, kind) in columns.items():
        wanted = ARROW[kind]
        if name in found:
            column = rows.column(name)
            arrays.append(column if column.type == wanted else pc.cast(column, wanted))
        else:
            arrays.append(pa.nulls(len(rows), wanted))
        fields.append(pa.field(outgoing, wanted))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))
