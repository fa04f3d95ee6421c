"""What a workspace holds: spool, raw tables, loads, violations, the last transform, the syncs."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import duckdb
import pyarrow.parquet as pq

from loader.config import Workspace
from loader.errors import LoaderError
from loader.spool import SpoolLag, read_lag
from loader.warehouse import Manifest, compactable, connect, read_manifest, retired_bytes
from loader.warehouse.bigquery.shipment import pending
from loader.warehouse.usage import RunBytes, read_usage

_SHOWN_LOADS: Final = 5


@dataclass(frozen=True)
class TableStatus:
    """One raw table; BigQuery doesn't tell for free what its newest row is."""

    name: str
    rows: int
    newest_received_at: datetime | None


@dataclass(frozen=True)
class LoadStatus:
    """One load that was committed."""

    load_id: int
    committed_at: datetime
    rows: int


@dataclass(frozen=True)
class OutboxStatus:
    """What of the lake is not in BigQuery yet, and when something was last brought there."""

    waiting_rows: int  # of events
    shipped_at: datetime | None


@dataclass(frozen=True)
class TransformStatus:
    """The last transform: when it ended, and how many nodes of dbt came out how."""

    ended_at: str
    results: dict[str, int]


@dataclass(frozen=True)
class SyncStatus:
    """The last run of one sync of headwater.yml; `state` is `never ran`, `running` or `done`."""

    name: str
    state: str
    finished_at: datetime | None = None
    delivered: int = 0
    rejected: int = 0
    retry: int = 0
    error: str | None = None


@dataclass(frozen=True)
class Status:
    """A workspace at one moment."""

    workspace: str
    spool: SpoolLag
    tables: list[TableStatus]
    loads: list[LoadStatus]  # the newest first
    violations: dict[str, int]  # by rule
    transform: TransformStatus | None
    syncs: list[SyncStatus]
    lake_files: int
    lake_bytes: int
    files_to_compact: int
    retired_bytes: int  # of files that a compaction replaced: they are removed by themselves
    outbox: OutboxStatus | None  # only with BigQuery for warehouse
    bytes: list[RunBytes]  # that BigQuery read for the last run of each command
    notes: list[str]  # what could not be told, and why

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "violations_total": sum(self.violations.values())}


def read_status(workspace: Workspace) -> Status:
    """The workspace's status; takes no lock, so it answers while a load or transform runs."""
    manifest = read_manifest(workspace)
    with connect(workspace) as connection:
        loads = connection.execute(
            "select load_id, max(committed_at), sum(rows)::bigint from raw.loads "
            "group by load_id order by load_id desc limit ?",
            [_SHOWN_LOADS],
        ).fetchall()
        violations = connection.execute(
            "select rule, count(*) as found from raw.violations group by rule order by found desc"
        ).fetchall()
    due = compactable(workspace, manifest, datetime.now(UTC))
    is_bigquery = workspace.config.warehouse.is_bigquery
    tables, notes = (
        _bigquery_tables(workspace) if is_bigquery else (list(_tables(workspace, manifest)), [])
    )
    return Status(
        workspace=str(workspace.root),
        spool=read_lag(workspace.spool, manifest.loaded_segments),
        tables=tables,
        loads=[LoadStatus(*row) for row in loads],
        violations=dict(violations),
        transform=_last_transform(workspace),
        syncs=[_last_run(workspace, name) for name in workspace.config.syncs],
        lake_files=len(manifest.files),
        lake_bytes=sum((workspace.lake / file.file).stat().st_size for file in manifest.files),
        files_to_compact=sum(len(found.files) for found in due),
        retired_bytes=retired_bytes(workspace, manifest),
        outbox=OutboxStatus(*pending(workspace, manifest)) if is_bigquery else None,
        bytes=_last_bytes(workspace) if is_bigquery else [],
        notes=notes,
    )


def _bigquery_tables(workspace: Workspace) -> tuple[list[TableStatus], list[str]]:
    """The raw tables of BigQuery, or a note why they are not known."""
    from loader.warehouse.bigquery.client import connect_bigquery  # noqa: PLC0415 - slow
    from loader.warehouse.bigquery.listing import count_rows  # noqa: PLC0415

    try:
        rows = count_rows(connect_bigquery(workspace))
    except LoaderError as problem:
        return [], [f"BigQuery's raw tables are left out: {problem.message}"]
    return [TableStatus(name, count, None) for name, count in rows.items()], []


def _last_bytes(workspace: Workspace) -> list[RunBytes]:
    """The last run of each command; dbt tells of the transform's."""
    last = {run.command: run for run in read_usage(workspace)}
    if found := _read_run_results(workspace):
        answers = [result.get("adapter_response") or {} for result in found["results"]]
        processed, billed = (
            sum(int(answer.get(key) or 0) for answer in answers)
            for key in ("bytes_processed", "bytes_billed")
        )
        ended_at = datetime.fromisoformat(found["metadata"]["generated_at"])
        last["transform"] = RunBytes("transform", ended_at, processed, billed)
    return sorted(last.values(), key=lambda run: run.command)


def _tables(workspace: Workspace, manifest: Manifest) -> Iterator[TableStatus]:
    files: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for file in manifest.files:
        files[file.table_name].append((file.date, file.file))
    for name, rows in sorted(manifest.rows_by_table().items()):
        last_date = max((date for date, _ in files[name]), default="")
        newest = [_newest_received_at(workspace, f) for date, f in files[name] if date == last_date]
        yield TableStatus(name, rows, max(filter(None, newest), default=None))


def _newest_received_at(workspace: Workspace, file: str) -> datetime | None:
    """From the Parquet footer alone: no row is read."""
    metadata = pq.read_metadata(workspace.lake / file)
    names = metadata.schema.names
    if "received_at" not in names:
        return None
    column = names.index("received_at")
    groups = (metadata.row_group(i).column(column) for i in range(metadata.num_row_groups))
    newest = [group.statistics.max for group in groups if group.statistics.has_min_max]
    return max(newest, default=None)


def _last_transform(workspace: Workspace) -> TransformStatus | None:
    found = _read_run_results(workspace)
    if found is None:
        return None
    outcomes = Counter(str(result["status"]) for result in found["results"])
    return TransformStatus(found["metadata"]["generated_at"], dict(outcomes))


def _read_run_results(workspace: Workspace) -> dict[str, Any] | None:
    """What dbt wrote of its last run; None if there is none yet, or dbt is just writing it."""
    try:
        found = json.loads((workspace.dbt / "target" / "run_results.json").read_bytes())
        return {"metadata": found["metadata"], "results": found["results"]}
    except (OSError, ValueError, KeyError):
        return None


def _last_run(workspace: Workspace, name: str) -> SyncStatus:
    path = workspace.state / f"{name}.duckdb"
    if not path.is_file():
        return SyncStatus(name, "never ran")
    try:
        with duckdb.connect(path, read_only=True) as connection:
            found = connection.execute(
                "select finished_at, delivered, rejected, retry, error from runs "
                "order by started_at desc limit 1"
            ).fetchone()
    except duckdb.IOException:  # its state file is its lock
        return SyncStatus(name, "running")
    except duckdb.CatalogException:
        found = None
    return SyncStatus(name, "done", *found) if found else SyncStatus(name, "never ran")
