"""Compaction: the many small files of one table and day become one, and no reader notices.

What is new is written beside the lake first, while loads go on. Then, under their lock and for as
long as a commit takes, one rename of the manifest lists the new files in place of the old, which
stay for those who read them (see `retired`). Killed before that rename, a compaction has changed
nothing; killed after it, nothing is missing.
"""

import shutil
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from loader.config import Workspace
from loader.errors import ConfigError
from loader.locks import exclusive
from loader.warehouse.bigquery.shipment import read_shipping
from loader.warehouse.catalog import is_log
from loader.warehouse.lake import place, sweep
from loader.warehouse.manifest import (
    LakeFile,
    Manifest,
    RetiredFile,
    commit_manifest,
    read_manifest,
)
from loader.warehouse.merge import TARGET_BYTES, MergedFile, Merger
from loader.warehouse.retired import tidy_retired

_SMALL_BYTES: Final = TARGET_BYTES // 2
_MANY_FILES: Final = 100  # from which on even today's are worth it, though more will come
_QUIET_SECONDS: Final = 600  # after the last load into a day, before it is compacted unasked
_COMMIT_BYTES: Final = 4 * TARGET_BYTES  # merged before they are committed: what a kill may cost


@dataclass(frozen=True)
class Partition:
    """Files of one table and day that are worth merging, in the order of arrival."""

    table: str
    date: str
    files: Sequence[LakeFile]
    bytes: int


@dataclass
class CompactReport:
    """What a compaction did."""

    files_before: int = 0
    files_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    rows: int = 0
    tables: dict[str, int] = field(default_factory=dict)  # days that were compacted
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


@dataclass(frozen=True)
class Replacement:
    """Files of the lake, and the drafts that hold the same rows."""

    old: Sequence[LakeFile]
    new: Sequence[MergedFile]


def compact(
    workspace: Workspace,
    tables: Sequence[str] = (),
    *,
    is_asked_for: bool = True,
    now: datetime | None = None,
) -> CompactReport:
    """Merge the small files of each table and day before today's; today's too once there are many.

    Unless `is_asked_for`, days that loads wrote to in the last ten minutes are left for later.
    Rows, `load_id` and all, their order of arrival and their columns stay as they are. Durable when
    it returns. Raises ConfigError for a table that doesn't exist, Busy while another compaction
    runs, StorageError if the disk refuses.
    """
    started = time.monotonic()
    now = now or datetime.now(UTC)
    report = CompactReport()
    quiet_seconds = 0 if is_asked_for else _QUIET_SECONDS
    if not is_asked_for:
        manifest = read_manifest(workspace)
        if not compactable(workspace, manifest, now, quiet_seconds=quiet_seconds):
            return report
    with only_compaction(workspace) as merger:
        manifest = read_manifest(workspace)
        if unknown := [table for table in tables if table not in manifest.catalog.tables]:
            raise ConfigError(
                f"compact {unknown[0]}: there is no such table in raw",
                fix="`headwater status` lists the raw tables",
            )
        due = compactable(workspace, manifest, now, quiet_seconds=quiet_seconds)
        for batch in _batches([found for found in due if not tables or found.table in tables]):
            new = [merger.merge(manifest.catalog, partition.files) for partition in batch]
            _count(report, batch, new)
            pairs = zip(batch, new, strict=True)
            _commit(workspace, [Replacement(old.files, merged) for old, merged in pairs], now)
        if is_asked_for and not report.files_before:
            with _load_lock(workspace):
                tidy_retired(workspace, read_manifest(workspace), now)
    report.seconds = round(time.monotonic() - started, 3)
    return report


def compactable(
    workspace: Workspace, manifest: Manifest, now: datetime, *, quiet_seconds: int = 0
) -> list[Partition]:
    """What a compaction would merge now; of days with one file nothing is looked up."""
    today = str(now.date())
    days: dict[tuple[str, str], list[LakeFile]] = defaultdict(list)
    for file in _settled(workspace, manifest):
        days[file.table_name, file.date].append(file)
    found = []
    for (table, date), files in days.items():
        if len(files) < (2 if date < today else _MANY_FILES):
            continue
        stats = {file.file: (workspace.lake / file.file).stat() for file in files}
        small = [file for file in files if stats[file.file].st_size < _SMALL_BYTES]
        written_at = max((stats[file.file].st_mtime for file in small), default=0)
        is_quiet = date < today and now.timestamp() - written_at >= quiet_seconds
        if len(small) >= (2 if is_quiet else _MANY_FILES):
            small.sort(key=lambda file: file.load_id)  # stable: parts of a load stay in order
            size = sum(stats[file.file].st_size for file in small)
            found.append(Partition(table, date, small, size))
    return found


def _settled(workspace: Workspace, manifest: Manifest) -> Sequence[LakeFile]:
    """The files that may be merged: with BigQuery those of logs, once they were sent there.

    Its own tables BigQuery keeps in order by itself.
    """
    if not workspace.config.warehouse.is_bigquery:
        return manifest.files
    shipped_load_id = read_shipping(workspace).shipped_load_id
    return [f for f in manifest.files if is_log(f.table_name) and f.load_id <= shipped_load_id]


@contextmanager
def only_compaction(workspace: Workspace) -> Iterator[Merger]:
    """Hold compact.lock, with a folder for drafts; what a killed compaction left is removed."""
    with exclusive(workspace.home / "compact.lock", "compaction"):
        shutil.rmtree(workspace.compaction, ignore_errors=True)
        workspace.compaction.mkdir()
        merger = Merger(workspace)
        try:
            yield merger
        finally:
            merger.close()
            shutil.rmtree(workspace.compaction, ignore_errors=True)


def _batches(due: Sequence[Partition]) -> Iterator[list[Partition]]:
    """As much as shall be committed at once."""
    batch: list[Partition] = []
    for partition in due:
        batch.append(partition)
        if sum(found.bytes for found in batch) >= _COMMIT_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch


def _count(
    report: CompactReport, batch: Sequence[Partition], new: Sequence[Sequence[MergedFile]]
) -> None:
    for partition, merged in zip(batch, new, strict=True):
        report.files_before += len(partition.files)
        report.files_after += len(merged)
        report.bytes_before += partition.bytes
        report.bytes_after += sum(found.draft.stat().st_size for found in merged)
        report.rows += sum(found.rows for found in merged)
        report.tables[partition.table] = report.tables.get(partition.table, 0) + 1


def _commit(workspace: Workspace, replacements: Sequence[Replacement], now: datetime) -> None:
    """Let what was merged without the lock count, beside what was loaded meanwhile."""
    with _load_lock(workspace):
        manifest = read_manifest(workspace)
        tidy_retired(workspace, manifest, now)
        replace_files(workspace, manifest, replacements, now)
        commit_manifest(workspace, manifest)


@contextmanager
def _load_lock(workspace: Workspace) -> Iterator[None]:
    """Loads that come meanwhile wait a moment; what a killed one left is removed."""
    lock = workspace.home / "load.lock"
    with exclusive(lock, "load", wait=True, is_brief=True) as was_killed:
        if was_killed:
            sweep(workspace, read_manifest(workspace))
        yield


def replace_files(
    workspace: Workspace, manifest: Manifest, replacements: Sequence[Replacement], now: datetime
) -> None:
    """Let `manifest`, to be committed next, list the new files, which are put into the lake."""
    manifest.version += 1
    gone = {file.file for replacement in replacements for file in replacement.old}
    drafts: dict[str, Path] = {}
    manifest.files = [file for file in manifest.files if file.file not in gone]
    for replacement in replacements:
        last = max(replacement.old, key=lambda file: file.load_id)
        for merged in replacement.new:
            table, date = last.table_name, last.date
            name = f"{table}/_date={date}/c{manifest.version}-{len(drafts)}.parquet"
            drafts[name] = merged.draft
            manifest.files.append(LakeFile(name, table, date, last.load_id, merged.rows))
    place(drafts, workspace.lake)
    manifest.retired += [RetiredFile(name, now.timestamp()) for name in sorted(gone)]
