"""The manifest: which files the raw tables consist of. Replacing it is the commit of a load.

It is one Parquet file, a row a lake file, so that DuckDB's views can join it; what else a load must
commit in the same instant (columns, next ids, ids seen, files taken) is JSON in its footer. After
each commit it gets a second name below `versions/`, which keeps what it was then: DuckDB opens a
file several times in one query, so views read that name, never the one that is replaced. A view
looks for the newest before it lists the lake, so a query sees each load whole.
"""

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from loader.config import Workspace
from loader.durable import replacing, sync
from loader.errors import StorageError
from loader.ledger import Run
from loader.warehouse.catalog import Catalog

# 1: ids seen stood in files of another layout, which are read still; 2: there was no `retired`
FORMAT_VERSION = 3
# A query that began before a commit still finds its own version, though it may run for an hour.
_KEPT_SECONDS = 3600
_KEPT_VERSIONS = 3
_LAST_VERSION = 999_999_999_999
_FOOTER: Final = b"headwater"
_SCHEMA = pa.schema(
    {
        "file": pa.string(),  # relative to the lake
        "table_name": pa.string(),
        "date": pa.string(),
        "load_id": pa.int64(),
        "rows": pa.int64(),
    }
)


@dataclass(frozen=True, slots=True)
class LakeFile:
    """One Parquet file of one raw table and day; `file` is relative to the lake.

    `load_id` is the load's, or of what was compacted the last one's: in its order files of a day
    follow each other.
    """

    file: str
    table_name: str
    date: str
    load_id: int
    rows: int


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """An input file that was loaded whole; its SHA-256 makes loading it again a no-op."""

    sha256: str
    load_id: int


@dataclass(frozen=True, slots=True)
class RetiredFile:
    """A file that is no longer listed, and since when, in seconds since 1970."""

    file: str
    at: float


@dataclass
class Manifest:
    """What is in the lake as of one version; a load changes its own copy and commits it."""

    version: int = 0
    epoch: int = 0  # raised when a column's type widens, which views of before can't show
    next_load_id: int = 1
    next_seq: int = 1
    catalog: Catalog = field(default_factory=Catalog)
    files: list[LakeFile] = field(default_factory=list)
    loaded_files: list[LoadedFile] = field(default_factory=list)
    loaded_segments: list[str] = field(default_factory=list)  # of the spool; may still lie there
    id_runs: list[Run] = field(default_factory=list)
    retired: list[RetiredFile] = field(default_factory=list)  # views still come upon them

    def rows_by_table(self) -> dict[str, int]:
        """How many rows each raw table has."""
        rows = dict.fromkeys(self.catalog.tables, 0)
        for file in self.files:
            rows[file.table_name] += file.rows
        return rows


def read_manifest(workspace: Workspace) -> Manifest:
    """The manifest as last committed; an empty one before the first load."""
    return read_manifest_file(workspace.manifest) if workspace.manifest.is_file() else Manifest()


def read_manifest_file(path: Path) -> Manifest:
    """The manifest in the file `path`, or in a copy of it."""
    try:
        with pq.ParquetFile(path) as stored:  # read_table would import pandas: a second or two
            table = stored.read()
        footer = json.loads(table.schema.metadata[_FOOTER])
    except (OSError, pa.ArrowInvalid, KeyError, TypeError, ValueError) as problem:
        raise StorageError(
            f"{path}: the manifest can't be read: {problem}", fix="restore it from a backup"
        ) from problem
    if footer["format_version"] > FORMAT_VERSION:
        raise StorageError(
            f"{path}: format {footer['format_version']}, this Headwater reads {FORMAT_VERSION}",
            fix="upgrade headwater: a newer one wrote this workspace",
        )
    return Manifest(
        version=footer["version"],
        epoch=footer["epoch"],
        next_load_id=footer["next_load_id"],
        next_seq=footer["next_seq"],
        catalog=Catalog.from_json(footer["catalog"]),
        files=list(map(LakeFile, *(table[name].to_pylist() for name in _SCHEMA.names))),
        loaded_files=[LoadedFile(**found) for found in footer["loaded_files"]],
        loaded_segments=footer.get("loaded_segments", []),  # not there before the collector was
        id_runs=[Run(**found) for found in footer["id_runs"]],
        retired=[RetiredFile(**found) for found in footer.get("retired", [])],
    )


def commit_manifest(workspace: Workspace, manifest: Manifest) -> None:
    """Make `manifest` the one that counts: durable and, by one rename, all or nothing."""
    footer = {
        "format_version": FORMAT_VERSION,
        "version": manifest.version,
        "epoch": manifest.epoch,
        "next_load_id": manifest.next_load_id,
        "next_seq": manifest.next_seq,
        "catalog": manifest.catalog.to_json(),
        "loaded_files": [asdict(loaded) for loaded in manifest.loaded_files],
        "loaded_segments": manifest.loaded_segments,
        "id_runs": [asdict(run) for run in manifest.id_runs],
        "retired": [asdict(retired) for retired in manifest.retired],
    }
    columns = {name: [getattr(file, name) for file in manifest.files] for name in _SCHEMA.names}
    table = pa.table(columns, schema=_SCHEMA)
    table = table.replace_schema_metadata({_FOOTER: json.dumps(footer)})
    with replacing(workspace.manifest) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    mark_version(workspace, manifest)


def mark_version(workspace: Workspace, manifest: Manifest) -> None:
    """Let readers see this version; repeated at each start, lest a commit was killed before it."""
    folder = versions_folder(workspace, manifest)
    folder.mkdir(parents=True, exist_ok=True)
    # The newest has the least name: DuckDB takes a glob's columns from the first file of it.
    name = folder / f"{_LAST_VERSION - manifest.version:012}"
    if not name.exists():
        draft = workspace.home / f".version-{os.getpid()}.tmp"
        draft.unlink(missing_ok=True)
        draft.hardlink_to(workspace.manifest)
        # Another load may just have replaced the manifest: that version is its own to name.
        if read_manifest_file(draft).version == manifest.version:
            draft.rename(name)
            sync(folder)
        draft.unlink(missing_ok=True)
    expired_at = time.time() - _KEPT_SECONDS
    kept = sorted(folder.iterdir())[_KEPT_VERSIONS - 1 :]
    for successor, old in reversed(list(pairwise(kept))):
        with suppress(FileNotFoundError):  # another process is just as tidy
            if successor.stat().st_mtime < expired_at:
                old.unlink()


def versions_folder(workspace: Workspace, manifest: Manifest) -> Path:
    """Where versions of this epoch stand: views of an older one go on showing its last version."""
    return workspace.versions / str(manifest.epoch)
