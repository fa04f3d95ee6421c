"""The warehouse: raw tables in the lake, the manifest that lists them, the DuckDB file."""

from loader.warehouse.catalog import MAX_COLUMNS, Catalog
from loader.warehouse.lake import LakeWriter, sweep, sweep_ids
from loader.warehouse.manifest import LakeFile, LoadedFile, Manifest, commit_manifest, read_manifest
from loader.warehouse.published import connect, publish, repair, start_build
from loader.warehouse.retention import expire_violations
from loader.warehouse.views import quote, scan

__all__ = [
    "MAX_COLUMNS",
    "Catalog",
    "LakeFile",
    "LakeWriter",
    "LoadedFile",
    "Manifest",
    "commit_manifest",
    "connect",
    "expire_violations",
    "publish",
    "quote",
    "read_manifest",
    "repair",
    "scan",
    "start_build",
    "sweep",
    "sweep_ids",
]
