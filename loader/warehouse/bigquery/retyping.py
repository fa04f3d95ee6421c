"""Columns of raw tables in BigQuery take other types, as `retype` lets them on DuckDB.

BigQuery's tables change first, then, in one commit, what is here: the files that wait, the catalog
and the log. Each step leaves things such that repeating the command goes on from there.
"""

import logging
import shutil
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from google.api_core import exceptions

from loader.config import Workspace
from loader.event.values import ColumnType
from loader.locks import exclusive
from loader.warehouse.bigquery.client import ASKED, BigQuery, quote_name
from loader.warehouse.bigquery.retype_plan import (
    Keys,
    decoded,
    has_big_ints_in,
    keys_of,
    narrowest,
    survey_columns,
)
from loader.warehouse.bigquery.retyped_column import ColumnRetype, StoredTable
from loader.warehouse.bigquery.retyped_outbox import recall, rewrite_file
from loader.warehouse.bigquery.ship import ship_waiting
from loader.warehouse.bigquery.shipment import read_shipping
from loader.warehouse.bigquery.tables import TYPES, TypesDiffer, retired_name, retyped_name
from loader.warehouse.bigquery.usage import metered
from loader.warehouse.lake import sweep
from loader.warehouse.manifest import LakeFile, Manifest, commit_manifest, read_manifest
from loader.warehouse.outbox import lake_writer, outgoing_name
from loader.warehouse.retype import (
    RetypedColumn,
    RetypeReport,
    Survey,
    chosen_columns,
    tables_with,
)
from loader.warehouse.rewriting import ColumnRewrite, TableRewrite
from loader.warehouse.schema_changes import SchemaChange, write_changes

_log = logging.getLogger(__name__)


def retype_in_bigquery(
    workspace: Workspace,
    table: str,
    column: str | None = None,
    wanted: Mapping[str, ColumnType] | None = None,
) -> RetypeReport:
    """Give the columns that events added to `table`, or one of them, the types `wanted`.

    As `retype` does it on DuckDB. What waits here is sent first, and this workspace sends and loads
    nothing meanwhile; what other loaders send comes with the new type, or is refused. Durable here
    and there when it returns. Raises as `retype`, and what `refused` gives: repeated, it goes on.
    """
    started = time.monotonic()
    with exclusive(workspace.home / "ship.lock", "shipment", wait=True):
        shipping = read_shipping(workspace)
        with suppress(TypesDiffer):  # what has no room there gets it below
            _tell(ship_waiting(workspace, shipping))
        with (
            exclusive(workspace.home / "load.lock", "load", wait=True) as was_killed,
            metered(workspace, "compact") as connection,
        ):
            manifest = read_manifest(workspace)
            if was_killed:
                sweep(workspace, manifest)
            names = chosen_columns(manifest.catalog, table, column)
            tables = tables_with(manifest.catalog, table, column)
            waiting = recall(workspace, manifest, shipping, tables)
            retyping = _Retyping(workspace, connection, manifest, waiting)
            retyping.run(tables, names, wanted or {})
        with suppress(TypesDiffer):  # of other columns, which the next load tells
            _tell(ship_waiting(workspace, shipping))
    columns = [
        RetypedColumn(table, c.name, c.old, c.new, c.taken_back, c.rescued)
        for (table, _), c in retyping.done.items()
    ]
    return RetypeReport(columns, round(time.monotonic() - started, 3))


def _tell(messages: Sequence[str]) -> None:
    for message in messages:
        _log.warning("%s", message)


class _Retyping:
    """One run; `done` says by table and column what it came to."""

    def __init__(
        self,
        workspace: Workspace,
        connection: BigQuery,
        manifest: Manifest,
        waiting: Sequence[LakeFile],
    ) -> None:
        self.done: dict[tuple[str, str], ColumnRewrite] = {}
        self._workspace = workspace
        self._connection = connection
        self._manifest = manifest
        self._waiting = waiting
        self._drafts: Path = workspace.home / "retype"

    def run(
        self, tables: Sequence[str], names: Collection[str], wanted: Mapping[str, ColumnType]
    ) -> None:
        """All of it."""
        if not names:
            return
        shutil.rmtree(self._drafts, ignore_errors=True)
        self._drafts.mkdir()
        catalog = self._manifest.catalog
        types = {name: catalog.types()[tables[0]][name] for name in names}
        stored = [found for table in tables if (found := self._stored(table))]
        keyed = [(table, keys_of(table, names)) for table in stored]
        for table, keys in keyed:
            self._finish_begun(table, keys)
        surveys = survey_columns(self._workspace, keyed, self._waiting, types)
        plan: dict[str, ColumnType] = {}
        for name, survey in surveys.items():
            new = wanted.get(name) or narrowest(name, survey, stored, catalog)
            for table, keys in keyed:
                self._retype(table, keys[name], survey, name, new)
            has_other_type = new is not types[name]
            if has_other_type or survey.fits.get(new) or self._has_done(name):
                plan[name] = new
        replaced = self._rewrite_waiting(tables, plan, surveys)
        self._commit(tables, plan, stored, replaced)
        shutil.rmtree(self._drafts, ignore_errors=True)

    def _stored(self, table: str) -> StoredTable | None:
        """The table as it is in BigQuery, if it is."""
        raw = self._connection.raw(table)
        with self._connection.asking(f"compact: retype {raw}"):
            try:
                schema = self._connection.client.get_table(raw, **ASKED).schema
            except exceptions.NotFound:
                return None
        return StoredTable(self._connection, table, {f.name: f.field_type for f in schema})

    def _finish_begun(self, table: StoredTable, keys: Keys) -> None:
        """What a killed run left once a column had its new type."""
        for name, found in keys.items():
            column = outgoing_name(name)
            old, new = table.kind_of(retired_name(column)), table.kind_of(column)
            if old and new:
                change = ColumnRewrite(name, old, new, decoded(found))
                ColumnRetype(table, change, found, self._drafts / "rows.parquet").finish()
                del table.columns[retired_name(column)]
                self._note(table.name, change)

    def _retype(
        self, table: StoredTable, keys: Collection[str], survey: Survey, name: str, new: ColumnType
    ) -> None:
        """One column of one table in BigQuery."""
        column = outgoing_name(name)
        old = table.kind_of(column)
        if old is None:
            return  # the next load makes it
        change = ColumnRewrite(name, old, new, list(survey.pointers))
        retype = ColumnRetype(table, change, keys, self._drafts / "rows.parquet")
        if old is not new:
            retype.begin()
            retype.finish()
            table.columns[column] = TYPES[new]
        elif keys and survey.fits.get(new):
            retype.take_back()
        if old is new and retyped_name(column) in table.columns:
            table.alter(f"drop column if exists {quote_name(retyped_name(column))}")
        self._note(table.name, change)

    def _note(self, table: str, change: ColumnRewrite) -> None:
        """Count what was done, if anything was."""
        if change.old is change.new and not change.taken_back:
            return
        known = self.done.setdefault((table, change.name), change)
        if known is not change:
            known.new = change.new
            known.taken_back += change.taken_back
            known.rescued += change.rescued
            known.has_big_ints |= change.has_big_ints

    def _has_done(self, name: str) -> bool:
        return any(column == name for _, column in self.done)

    def _rewrite_waiting(
        self, tables: Sequence[str], plan: Mapping[str, ColumnType], surveys: Mapping[str, Survey]
    ) -> dict[LakeFile, list[LakeFile]]:
        """What waits here gets the types of `plan`; by file, what takes its place."""
        types = self._manifest.catalog.types()[tables[0]]
        replaced = {}
        for file in self._waiting if plan else ():
            changes = {
                name: ColumnRewrite(name, types[name], new, list(surveys[name].pointers))
                for name, new in plan.items()
            }
            rewrite = TableRewrite(file.table_name, changes)
            version = self._manifest.version + 1
            replaced[file] = rewrite_file(self._workspace, file, rewrite, version, self._drafts)
            for change in changes.values():
                self._note(file.table_name, change)
        return replaced

    def _commit(
        self,
        tables: Sequence[str],
        plan: Mapping[str, ColumnType],
        stored: Sequence[StoredTable],
        replaced: Mapping[LakeFile, Sequence[LakeFile]],
    ) -> None:
        """Let the catalog, the log and the outbox follow, all at once."""
        manifest = self._manifest
        for name, new in plan.items():
            old = manifest.catalog.types()[tables[0]][name]
            for table in tables:
                self._note(table, ColumnRewrite(name, old, new, []))
            if old is not new:
                manifest.catalog.retype(tables, name, new)
            state = manifest.catalog.state_of(tables[0], name)
            if state is not None:
                state.has_big_ints = has_big_ints_in(name, stored, manifest.catalog) or any(
                    c.has_big_ints for (_, column), c in self.done.items() if column == name
                )
        changes = [
            SchemaChange(table, c.name, "retyped", c.old, c.new, next(iter(c.pointers), None))
            for (table, _), c in self.done.items()
            if c.old is not c.new
        ]
        if not changes and not replaced:
            return
        lake = lake_writer(self._workspace, manifest.next_load_id, datetime.now(UTC).date())
        try:
            write_changes(lake, manifest.catalog, changes, load_id=manifest.next_load_id)
            new_files = lake.files()
            lake.place()
        finally:
            lake.close()
        kept = [file for file in manifest.files if file not in replaced]
        manifest.files = [*kept, *(f for files in replaced.values() for f in files), *new_files]
        manifest.version += 1
        manifest.next_load_id += 1
        commit_manifest(self._workspace, manifest)
        for file in replaced:
            (self._workspace.lake / file.file).unlink(missing_ok=True)
