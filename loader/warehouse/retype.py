"""Retyping: columns take other types; values go to `_rescued`, or come back, as they fit.

All files of the tables that are touched are written anew, and count by one rename of the manifest.
It starts a new epoch, since views of before can't show the new types.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from loader.config import Workspace
from loader.errors import ConfigError
from loader.event.values import MISFIT, ColumnType, fit
from loader.locks import exclusive
from loader.warehouse.catalog import Catalog, fixed_columns
from loader.warehouse.compaction import Replacement, only_compaction, replace_files
from loader.warehouse.lake import LakeWriter, sweep
from loader.warehouse.manifest import LakeFile, Manifest, commit_manifest, read_manifest
from loader.warehouse.merge import Merger
from loader.warehouse.rewriting import ColumnRewrite, TableRewrite, rescued_values
from loader.warehouse.schema_changes import SchemaChange, write_changes

_BATCH_ROWS = 65_536


@dataclass(frozen=True)
class RetypedColumn:
    """What became of one column of one table; the counts are of values."""

    table_name: str
    column_name: str
    old_type: ColumnType
    new_type: ColumnType
    taken_back: int
    rescued: int


@dataclass
class RetypeReport:
    """What a retype did."""

    columns: list[RetypedColumn] = field(default_factory=list)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


@dataclass
class Survey:
    """What is in `_rescued` of one column's values, whose places in the column are empty."""

    old: ColumnType
    fits: dict[ColumnType, int] = field(default_factory=dict)
    values: int = 0
    pointers: dict[str, None] = field(default_factory=dict)

    def add(self, pointer: str, value: Any) -> None:
        """Count a value, found at `pointer`."""
        self.values += 1
        if len(self.pointers) < 10:
            self.pointers[pointer] = None
        for kind in ColumnType:
            if fit(value, kind) is not MISFIT:
                self.fits[kind] = self.fits.get(kind, 0) + 1

    def best(self, *, has_big_ints: bool) -> ColumnType:
        """The narrowest type that all values fit, those in the column too."""
        narrowest = [self.old]
        if self.old is ColumnType.INT and not has_big_ints:
            narrowest.append(ColumnType.FLOAT)
        for kind in narrowest:
            if self.fits.get(kind, 0) == self.values:
                return kind
        return ColumnType.TEXT


def retype(
    workspace: Workspace,
    table: str,
    column: str | None = None,
    wanted: Mapping[str, ColumnType] | None = None,
    *,
    now: datetime | None = None,
) -> RetypeReport:
    """Give the columns that events added to `table`, or one of them, the types `wanted`.

    A column that `wanted` doesn't name takes the narrowest type that fits all its values, those in
    `_rescued` included. The types of `context_*` are shared, so such a column must be named, and is
    rewritten in every table. No load runs meanwhile. Durable when it returns. Raises ConfigError
    for what does not exist or is fixed, Busy while a compaction runs, StorageError if the disk
    refuses; then nothing has changed.
    """
    started = time.monotonic()
    now = now or datetime.now(UTC)
    lock = workspace.home / "load.lock"
    with (
        only_compaction(workspace) as merger,
        exclusive(lock, "load", wait=True) as was_killed,
    ):
        manifest = read_manifest(workspace)
        if was_killed:
            sweep(workspace, manifest)
        names = chosen_columns(manifest.catalog, table, column)
        tables = tables_with(manifest.catalog, table, column)
        surveys = _survey(workspace, manifest, tables, names)
        rewrites = _plan(manifest.catalog, tables, surveys, wanted or {})
        if rewrites:
            _rewrite(workspace, merger, manifest, rewrites, now)
    columns = [
        RetypedColumn(r.table, c.name, c.old, c.new, c.taken_back, c.rescued)
        for r in rewrites
        for c in r.columns.values()
    ]
    return RetypeReport(columns, round(time.monotonic() - started, 3))


def chosen_columns(catalog: Catalog, table: str, column: str | None) -> list[str]:
    """The columns to look at; ConfigError if there is none."""
    if table not in catalog.tables:
        raise ConfigError(
            f"retype {table}: there is no such table in raw",
            fix="`headwater status` lists the raw tables",
        )
    added = catalog.tables[table].field_ids
    if column is None:
        return [name for name in added if not name.startswith("context_")]
    if column not in added:
        is_fixed = column in fixed_columns(table)
        raise ConfigError(
            f"retype {table} {column}: "
            + ("the type of that column is ours and fixed" if is_fixed else "no such column"),
            fix=f"`headwater query 'describe raw.{table}'` lists the columns",
        )
    return [column]


def tables_with(catalog: Catalog, table: str, column: str | None) -> list[str]:
    """The tables whose column it is: all that have it, if its type is shared."""
    if column is None or not column.startswith("context_"):
        return [table]
    return [name for name, columns in catalog.tables.items() if column in columns.field_ids]


def _survey(
    workspace: Workspace, manifest: Manifest, tables: Sequence[str], names: Sequence[str]
) -> dict[str, Survey]:
    """What `_rescued` holds of each column, all `tables` together."""
    types = manifest.catalog.types()[tables[0]]
    surveys = {name: Survey(types[name]) for name in names}
    for file in manifest.files if names else ():
        if file.table_name not in tables:
            continue
        with pq.ParquetFile(workspace.lake / file.file) as stored:
            there = set(stored.schema_arrow.names)
            wanted = [name for name in (*names, "_rescued") if name in there]
            for batch in stored.iter_batches(_BATCH_ROWS, columns=wanted):
                survey_rows(batch, file.table_name, surveys)
    return surveys


def survey_rows(rows: pa.RecordBatch, table: str, surveys: Mapping[str, Survey]) -> None:
    """Add what `_rescued` holds of each column whose place is empty, in `rows` of `table`."""
    there = set(rows.schema.names)
    for row, kept in rescued_values(rows, table, surveys):
        for pointer, (name, value) in kept.items():
            if name not in there or not rows.column(name)[row].is_valid:
                surveys[name].add(pointer, value)


def _plan(
    catalog: Catalog,
    tables: Sequence[str],
    surveys: Mapping[str, Survey],
    wanted: Mapping[str, ColumnType],
) -> list[TableRewrite]:
    """The tables to write anew, each with its columns that change."""
    changes = {}
    for name, survey in surveys.items():
        state = catalog.state_of(tables[0], name)
        best = survey.best(has_big_ints=bool(state and state.has_big_ints))
        new = wanted.get(name) or best
        if new is not survey.old or survey.fits.get(new):
            changes[name] = (survey.old, new, list(survey.pointers))
    if not changes:
        return []
    return [
        TableRewrite(table, {name: ColumnRewrite(name, *how) for name, how in changes.items()})
        for table in tables
    ]


def _rewrite(
    workspace: Workspace,
    merger: Merger,
    manifest: Manifest,
    rewrites: Sequence[TableRewrite],
    now: datetime,
) -> None:
    """Write the tables anew and commit them."""
    catalog = manifest.catalog
    states = {
        name: catalog.retype([rewrite.table for rewrite in rewrites], name, change.new)
        for name, change in rewrites[0].columns.items()
    }
    replacements = []
    for rewrite in rewrites:
        added = {*rewrite.columns, "_rescued"}
        for files in _days(manifest, rewrite.table):
            new = merger.merge(catalog, files, rewrite, added=added)
            replacements.append(Replacement(files, new))
    for name, state in states.items():
        state.has_big_ints = any(rewrite.columns[name].has_big_ints for rewrite in rewrites)
    lake = LakeWriter(workspace, manifest.next_load_id)
    changes = [
        SchemaChange(r.table, c.name, "retyped", c.old, c.new, next(iter(c.pointers), None))
        for r in rewrites
        for c in r.columns.values()
        if c.old is not c.new
    ]
    write_changes(lake, catalog, changes, load_id=manifest.next_load_id)
    files = lake.files()
    lake.place()
    lake.close()
    replace_files(workspace, manifest, replacements, now)
    manifest.files += files
    manifest.next_load_id += 1
    manifest.epoch += 1
    commit_manifest(workspace, manifest)


def _days(manifest: Manifest, table: str) -> Iterator[list[LakeFile]]:
    """The files of each day, in the order of arrival."""
    files = [file for file in manifest.files if file.table_name == table]
    files.sort(key=lambda file: (file.date, file.load_id))
    for _, found in groupby(files, key=lambda file: file.date):
        yield list(found)
