"""Rebuilding: rows of one raw table that are gone come back from the archive.

The log of loads says what each load brought, the table what is there now. The archive's events of a
load that lacks rows go the way that they went at loading, and keep load, `_seq` and times, so that
whoever applied that load before need not know. What was left out since, by today's contracts or
transformations, is left out here too. Nothing counts before one rename of the manifest.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

import duckdb

from loader.archive import ArchivedLoad, archived_loads
from loader.config import Workspace, nearest
from loader.contracts import read_contracts
from loader.errors import ConfigError, LoaderError, StorageError
from loader.event.naming import CALL_TABLES, table_name
from loader.ledger import read_suppression
from loader.load.archived import judged_anew
from loader.load.judge import Judge
from loader.load.kept_back import scan_table
from loader.load.lacking import LackingRows
from loader.load.load import load_lock
from loader.load.planned import give_columns
from loader.load.room import Room
from loader.load.rows import RowWriter
from loader.load.standing import BigQueryTable, LakeTable, Standing
from loader.locks import exclusive
from loader.warehouse import (
    Catalog,
    Manifest,
    commit_manifest,
    lake_writer,
    repair,
)
from loader.warehouse.catalog import is_log
from loader.warehouse.manifest import RetiredFile
from loader.warehouse.schema_changes import changes_since, write_changes

_FLUSH_EVENTS, _FLUSH_BYTES = 10_000, 64 * 1024 * 1024  # held in buffers
_TRACKS: Final = "tracks"
_LOADS: Final = """
select load_id, any_value(committed_at), any_value(dates), sum(rows)::bigint
from {loads} where table_name = ? group by load_id order by load_id
"""


@dataclass(frozen=True)
class LoggedLoad:
    """What raw.loads says that a load brought to the table."""

    load_id: int
    committed_at: datetime
    dates: Sequence[date]
    rows: int


@dataclass(frozen=True)
class GoneRows:
    """Rows of a load that can't come back: the archive has nothing of it of these days."""

    load_id: int
    dates: list[date]
    rows: int


@dataclass(frozen=True)
class ChangedLoad:
    """A load of which today's contracts and transformations make another number of rows."""

    load_id: int
    rows_then: int
    rows: int


@dataclass
class RebuildReport:
    """What a rebuild did; `loads` are those that it brought rows back of."""

    table: str
    missing_rows: int = 0
    rows: int = 0
    loads: list[int] = field(default_factory=list)
    gone: list[GoneRows] = field(default_factory=list)
    changed: list[ChangedLoad] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def rebuild_table(workspace: Workspace, table: str) -> RebuildReport:
    """Bring back the rows of `table` that its loads brought and that are gone.

    Durable when it returns; repeated, it finds nothing to do. Raises ConfigError for a table that
    is none, or no event table, or without an archive; LoaderError if a load's rows are in BigQuery
    in part, Busy while a load or compaction runs, StorageError if the disk refuses; then nothing
    has changed.
    """
    started = time.monotonic()
    contracts = read_contracts(workspace.schemas)
    # A compaction that has read what is replaced here would bring it a second time.
    with (
        exclusive(workspace.home / "compact.lock", "compaction"),
        load_lock(workspace) as manifest,
    ):
        _check(manifest.catalog, table)
        judge = Judge(
            workspace.config, workspace.root, contracts, read_suppression(workspace.suppression)
        )
        types_before = manifest.catalog.types()
        give_columns(manifest.catalog, contracts)
        rebuild = _Rebuild(workspace, manifest, table, judge)
        try:
            if rebuild.build(_logged_loads(workspace, manifest, table)):
                rebuild.commit(types_before)
        finally:
            rebuild.close()
    report = rebuild.report
    report.warnings += repair(workspace)
    if workspace.config.warehouse.is_bigquery:
        report.warnings += ship_rebuilt(workspace, table)
    report.seconds = round(time.monotonic() - started, 3)
    return report


def ship_rebuilt(workspace: Workspace, table: str) -> list[str]:
    """Send what was rebuilt to BigQuery; what to tell of it. Its loads count there already."""
    from loader.warehouse.bigquery.ship import ship  # noqa: PLC0415 - imports take a second

    advice = f"--rebuild {table}`"  # to whom it was just done
    return [told for told in ship(workspace) if advice not in told]


def _check(catalog: Catalog, table: str) -> None:
    if is_log(table):
        raise ConfigError(
            f"rebuild {table}: raw.{table} is a log; the archive has events only",
            fix="restore .headwater/ from a backup; in BigQuery the next load that brings rows "
            "writes raw.loads anew from what is here",
        )
    if table not in catalog.tables:
        guess = nearest(table, [name for name in catalog.tables if not is_log(name)])
        hint = f"did you mean {guess}? " if guess else ""
        raise ConfigError(
            f"rebuild {table}: no load brought a table of that name",
            fix=f"{hint}`headwater status` lists the raw tables",
        )


def _logged_loads(workspace: Workspace, manifest: Manifest, table: str) -> dict[int, LoggedLoad]:
    query = _LOADS.format(loads=scan_table(workspace, manifest, "loads"))
    try:
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            found = connection.execute(query, [table]).fetchall()
    except duckdb.IOException as problem:
        raise StorageError(
            f"{workspace.lake}: raw.loads: {problem}", fix="restore the file from a backup"
        ) from problem
    return {row[0]: LoggedLoad(*row) for row in found}


class _Rebuild:
    """A rebuild at work, to be held under the load lock; `manifest` is changed and committed."""

    def __init__(self, workspace: Workspace, manifest: Manifest, table: str, judge: Judge) -> None:
        self.report = RebuildReport(table)
        self._workspace = workspace
        self._manifest = manifest
        self._table = table
        self._judge = judge
        kind = BigQueryTable if workspace.config.warehouse.is_bigquery else LakeTable
        self._standing: Standing = kind(workspace, manifest, table)
        self._lake = lake_writer(workspace, manifest.next_load_id, datetime.now(UTC).date())
        self._lacking = LackingRows(self._lake, table, self._standing)
        self._room = Room(manifest.catalog, workspace.config.limits.event_tables)

    def close(self) -> None:
        self._lake.close()

    def build(self, logged: dict[int, LoggedLoad]) -> bool:
        """Write what is lacking, not yet visible; whether there is something to commit."""
        incomplete = self._standing.incomplete(
            {load.load_id: load.rows for load in logged.values()}
        )
        if not incomplete:
            return False
        if not self._workspace.archive.is_dir():
            raise ConfigError(
                f"rebuild {self._table}: {self._workspace.archive}, where rows would come from, "
                "does not exist",
                fix="restore it from a backup, then repeat",
            )
        archived = {load.load_id: load for load in archived_loads(self._workspace, incomplete)}
        for load_id, rows_there in incomplete.items():
            self._take(logged[load_id], rows_there, archived.get(load_id))
        self._lacking.finish(self._manifest.catalog)
        return bool(self._standing.replaced or self.report.rows)

    def _take(self, logged: LoggedLoad, rows_there: int, archived: ArchivedLoad | None) -> None:
        """Build one load's rows anew, and report what came of it."""
        report, lacking = self.report, self._lacking
        is_counted = bool(rows_there) and self._standing.has_whole_loads
        lacking.begin(logged.load_id, is_counted=is_counted)
        if archived is not None:
            self._build(archived, archived.loaded_at() or logged.committed_at)
        if is_counted:
            self._refuse_unless_same(logged, rows_there, lacking.rows)
            rows = rows_there
        else:
            rows = rows_there + lacking.rows
            report.rows += lacking.rows
            if lacking.rows:
                report.loads.append(logged.load_id)
        report.missing_rows += logged.rows - rows_there
        days = self._standing.days_lacking(logged.dates)
        gone = [day for day in days if archived is None or day not in archived.days]
        if rows < logged.rows and gone:
            report.gone.append(GoneRows(logged.load_id, gone, logged.rows - rows))
        elif rows != logged.rows and days:
            report.changed.append(ChangedLoad(logged.load_id, logged.rows, rows))

    def _refuse_unless_same(self, logged: LoggedLoad, rows_there: int, rows: int) -> None:
        """A load that is there in part is all that today's contracts give, or was meddled with."""
        if rows != rows_there:
            raise LoaderError(
                f"rebuild {self._table}: load {logged.load_id} brought {logged.rows:,} rows, "
                f"{rows_there:,} are there and the archive gives {rows:,}: somebody deleted some",
                fix=f"to have all of them back, delete from raw.{self._table} where load_id = "
                f"{logged.load_id}, then repeat",
            )

    def _build(self, load: ArchivedLoad, loaded_at: datetime) -> None:
        catalog = self._manifest.catalog
        rows = RowWriter(self._lacking, catalog, self._room, load_id=load.load_id, now=loaded_at)
        events = held_bytes = 0
        can_move = self._workspace.config.rewrites_events  # from one table to another
        for row in load.events():
            if not can_move and not self._is_wanted(row.type, row.event):
                continue
            found = judged_anew(row, self._judge, loaded_at=loaded_at)
            if found is None or not self._is_wanted(found.event["type"], found.event.get("event")):
                continue
            rows.add(found.event, row.seq, found.source, found.rescued)
            events += 1
            held_bytes += len(row.raw)
            if events >= _FLUSH_EVENTS or held_bytes >= _FLUSH_BYTES or rows.is_wide:
                rows.flush()
                rows.write()
                events = held_bytes = 0
        rows.flush()
        rows.write()

    def _is_wanted(self, call: str, name: str | None) -> bool:
        """Whether a row of the table comes of such an event; `name` is a track event's."""
        if call != "track":
            return CALL_TABLES[call] == self._table
        return self._table in (_TRACKS, table_name(str(name)))

    def commit(self, types_before: Any) -> None:
        """Let the rebuilt rows count, in one rename."""
        manifest, lake = self._manifest, self._lake
        changes = list(changes_since(types_before, manifest.catalog, lambda *_: None))
        write_changes(lake, manifest.catalog, changes, load_id=manifest.next_load_id)
        files = lake.files()
        replaced = set(self._standing.replaced)
        manifest.files = [file for file in manifest.files if file not in replaced] + files
        now = time.time()
        manifest.retired += [RetiredFile(file.file, now) for file in replaced]
        manifest.version += 1
        manifest.next_load_id += 1
        if any(change.old_type for change in changes):
            manifest.epoch += 1
        lake.place()
        commit_manifest(self._workspace, manifest)
