"""Files that wait for BigQuery, written anew with the types that their columns take."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from loader.config import Workspace
from loader.durable import refused, sync
from loader.errors import Unavailable
from loader.warehouse.bigquery.shipment import Shipping, waiting_files, write_shipping
from loader.warehouse.lake import parquet_options, place
from loader.warehouse.manifest import LakeFile, Manifest
from loader.warehouse.outbox import outgoing_name, split_by_json
from loader.warehouse.rewriting import TableRewrite

_BATCH_ROWS: Final = 65_536


def recall(
    workspace: Workspace, manifest: Manifest, shipping: Shipping, tables: Collection[str]
) -> list[LakeFile]:
    """The files of `tables` that wait here, and are in no shipment any more.

    Raises Unavailable if a shipment with some of them is on its way, with the types of before.
    """
    shipment = shipping.shipment
    if shipment and any(part.table in tables for part in shipment.parts):
        if any(part.is_done or part.attempt or part.stream for part in shipment.parts):
            raise Unavailable(
                f"retype {next(iter(tables))}: rows are on their way to BigQuery with the types "
                "of now",
                fix="bring them there with `headwater load`, then repeat the command",
            )
        shipping.shipment = None
        write_shipping(workspace, shipping)
    return [file for file in waiting_files(manifest, shipping) if file.table_name in tables]


def rewrite_file(
    workspace: Workspace, file: LakeFile, rewrite: TableRewrite, version: int, drafts: Path
) -> list[LakeFile]:
    """The files that take the place of `file` in version `version` of the manifest, durable.

    Rows with something in `_rescued` are apart, as a load writes them. StorageError if the disk
    refuses; files that no manifest lists are removed by the next load.
    """
    writers: dict[bool, pq.ParquetWriter] = {}
    rows = {True: 0, False: 0}
    paths = {has_json: drafts / f"{'json' if has_json else 'plain'}.parquet" for has_json in rows}
    try:
        for has_json, part in _parts(workspace.lake / file.file, rewrite):
            if has_json not in writers:
                options = parquet_options(part)
                writers[has_json] = pq.ParquetWriter(paths[has_json], part.schema, **options)
            writers[has_json].write_table(part)
            rows[has_json] += len(part)
        for has_json, writer in writers.items():
            writer.close()
            sync(paths[has_json])
    except OSError as problem:
        raise refused(drafts, problem) from problem
    name = file.file.removesuffix(".parquet")
    new = {
        has_json: replace(
            file,
            file=f"{name}-r{version}{'-json' if has_json else ''}.parquet",
            rows=rows[has_json],
        )
        for has_json in writers
    }
    place({found.file: paths[has_json] for has_json, found in new.items()}, workspace.lake)
    return list(new.values())


def _parts(path: Path, rewrite: TableRewrite) -> Iterator[tuple[bool, pa.Table]]:
    """The file's rows of now, some at a time: whether they have JSON, and they."""
    called = {outgoing_name(name): name for name in rewrite.columns}
    with pq.ParquetFile(path) as stored:
        for batch in stored.iter_batches(_BATCH_ROWS):
            found = pa.Table.from_batches([batch])
            found = found.rename_columns([called.get(n, n) for n in found.column_names])
            if "_rescued" not in found.column_names:
                found = found.append_column("_rescued", pa.nulls(len(found), pa.string()))
            done = rewrite(found)
            done = done.rename_columns(
                [outgoing_name(n) if n in rewrite.columns else n for n in done.column_names]
            )
            yield from split_by_json(done)
