"""The manifest: which files the raw tables consist of. Replacing it is the commit of a load.

It is one Parquet file, a row a lake file, so that DuckDB's views can join it; what else a load must
commit in the same instant (columns, next ids, ids seen, files taken) is JSON in its footer. After
each commit a marker `versions/<version>` appears: a view looks for the newest marker before it
lists the lake and then shows what had been added by that version, so a query sees each load whole.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from loader.config import Workspace
from loader.durable import replacing, sync
from loader.errors import StorageError
from loader.ledger import Run
from loader.warehouse.catalog import Catalog

FORMAT_VERSION = 1
_KEPT_MARKERS = 3
_FOOTER: Final = b"headwater"
_SCHEMA = pa.schema(
    {
        "file": pa.string(),  # relative to the lake
        "table_name": pa.string(),
        "date": pa.string(),
        "load_id": pa.int64(),
        "rows": pa.int64(),
        "added": pa.int64(),  # the manifest's version that first listed it
    }
)


@dataclass(frozen=True, slots=True)
class LakeFile:
    """One Parquet file of one raw table and day; `file` is relative to the lake."""

    file: str
    table_name: str
    date: str
    load_id: int
    rows: int
    added: int


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """An input file that was loaded whole; its SHA-256 makes loading it again a no-op."""

    sha256: str
    load_id: int


@dataclass
class Manifest:
    """What is in the lake as of one version; a load changes its own copy and commits it."""

    version: int = 0
    next_load_id: int = 1
    next_seq: int = 1
    catalog: Catalog = field(default_factory=Catalog)
    files: list[LakeFile] = field(default_factory=list)
    loaded_files: list[LoadedFile] = field(default_factory=list)
    id_runs: list[Run] = field(default_factory=list)

    def rows_by_table(self) -> dict[str, int]:
        """How many rows each raw table has."""
        rows = dict.fromkeys(self.catalog.tables, 0)
        for file in self.files:
            rows[file.table_name] += file.rows
        return rows


def read_manifest(workspace: Workspace) -> Manifest:
    """The manifest as last committed; an empty one before the first load."""
    path = workspace.manifest
    if not path.is_file():
        return Manifest()
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
        next_load_id=footer["next_load_id"],
        next_seq=footer["next_seq"],
        catalog=Catalog.from_json(footer["catalog"]),
        files=[LakeFile(**row) for row in table.to_pylist()],
        loaded_files=[LoadedFile(**found) for found in footer["loaded_files"]],
        id_runs=[Run(**found) for found in footer["id_runs"]],
    )


def commit_manifest(workspace: Workspace, manifest: Manifest) -> None:
    """Make `manifest` the one that counts: durable and, by one rename, all or nothing."""
    footer = {
        "format_version": FORMAT_VERSION,
        "version": manifest.version,
        "next_load_id": manifest.next_load_id,
        "next_seq": manifest.next_seq,
        "catalog": manifest.catalog.to_json(),
        "loaded_files": [asdict(loaded) for loaded in manifest.loaded_files],
        "id_runs": [asdict(run) for run in manifest.id_runs],
    }
    table = pa.Table.from_pylist([asdict(file) for file in manifest.files], _SCHEMA)
    table = table.replace_schema_metadata({_FOOTER: json.dumps(footer)})
    with replacing(workspace.manifest) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    mark_version(workspace, manifest.version)


def mark_version(workspace: Workspace, version: int) -> None:
    """Let readers see `version`; repeated at each start, for a commit that was killed before it."""
    folder = workspace.versions
    folder.mkdir(parents=True, exist_ok=True)
    marker = folder / f"{version:012}"
    if not marker.exists():
        marker.touch()
        sync(folder)
    for old in sorted(folder.iterdir())[:-_KEPT_MARKERS]:
        old.unlink(missing_ok=True)
