"""The warehouse: raw tables in the lake, the manifest that lists them, the DuckDB file."""

from loader.warehouse.catalog import MAX_COLUMNS, Catalog
from loader.warehouse.compaction import CompactReport, compact, compactable
from loader.warehouse.erasing import (
    Eraser,
    LakeRows,
    columns_of,
    erasing,
    read_violations,
    remove_replaced,
)
from loader.warehouse.lake import LakeWriter, RowSink, sweep, sweep_ids
from loader.warehouse.manifest import LakeFile, LoadedFile, Manifest, commit_manifest, read_manifest
from loader.warehouse.outbox import lake_writer, number_loads
from loader.warehouse.published import connect, publish, remove_remains, repair, start_build
from loader.warehouse.retention import expire_violations
from loader.warehouse.retired import retired_bytes, tidy_retired
from loader.warehouse.retype import RetypeReport, retype
from loader.warehouse.views import quote, scan

__all__ = [
    "MAX_COLUMNS",
    "Catalog",
    "CompactReport",
    "Eraser",
    "LakeFile",
    "LakeRows",
    "LakeWriter",
    "LoadedFile",
    "Manifest",
    "RetypeReport",
    "RowSink",
    "columns_of",
    "commit_manifest",
    "compact",
    "compactable",
    "connect",
    "erasing",
    "expire_violations",
    "lake_writer",
    "number_loads",
    "publish",
    "quote",
    "read_manifest",
    "read_violations",
    "remove_remains",
    "remove_replaced",
    "repair",
    "retired_bytes",
    "retype",
    "scan",
    "start_build",
    "sweep",
    "sweep_ids",
    "tidy_retired",
]
