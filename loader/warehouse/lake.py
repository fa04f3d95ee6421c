"""The lake: Parquet files at lake/<table>/_date=YYYY-MM-DD/<load_id>.parquet."""

import shutil
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.fs import LocalFileSystem

from loader.config import Workspace
from loader.durable import refused, sync
from loader.event.values import ARROW
from loader.warehouse.catalog import Catalog
from loader.warehouse.manifest import LakeFile, Manifest

_COMPRESSION = "snappy"  # a third of the CPU of the others for a few per cent more bytes
_WORTH_DICTIONARIES = 1_000  # rows; below it they cost time and bytes
_WORTH_SLICING = 500  # rows: where batches are smaller, they are put together first
_DAY = "_date"
_LOOKED_AT = 300  # values
# Of what queries leave files out by: rows lie in the order of arrival.
_STATISTICS = ["received_at", "timestamp", "loaded_at", "load_id", "_seq"]
_LOCAL = LocalFileSystem()
_DRAFTS = ".drafts"  # below the lake, where no view looks
_WRITERS = 2  # threads; more would only wait for each other


class RowSink(Protocol):
    """What takes rows of raw tables."""

    def write(self, table: str, rows: pa.Table, dates: pa.Array, catalog: Catalog) -> None:
        """Take `rows` of `table`, of the days `dates` (date32)."""

    def wait(self) -> None:
        """Until what was handed over is no longer held."""


class LakeWriter:
    """Writes one load's files, in threads of its own; they count once a manifest lists them."""

    def __init__(self, workspace: Workspace, load_id: int) -> None:
        self._lake = workspace.lake
        self._load_id = load_id
        self._parts: dict[str, int] = {}
        self._files: list[LakeFile] = []
        self._writers = ThreadPoolExecutor(_WRITERS, "lake")
        self._pending: list[Future[None]] = []
        self._numbers = Lock()  # one writer at a time names a file

    def write(self, table: str, rows: pa.Table, dates: pa.Array, catalog: Catalog) -> None:
        """Write `rows` of `table`, split by their `dates` (date32), typed as the catalog has it.

        Returns before they are written; `files` waits for that.
        """
        typed = _as_catalogued(rows, table, catalog).append_column(_DAY, dates)
        self._pending.append(self._writers.submit(self._write_days, table, typed))

    def wait(self) -> None:
        """Until all is written that was handed over; StorageError if the disk refused."""
        pending, self._pending = self._pending, []
        for task in pending:
            task.result()

    def files(self) -> list[LakeFile]:
        """What was written, once all of it is."""
        self.wait()
        return self._files

    def days_of(self, table: str) -> set[date]:
        """The partitions of `table` that were written to."""
        return {date.fromisoformat(f.date) for f in self.files() if f.table_name == table}

    def close(self) -> None:
        """Let no thread go on writing."""
        self._writers.shutdown(cancel_futures=True)

    def _write_days(self, table: str, rows: pa.Table) -> None:
        batches = rows.to_batches()
        if len(rows) < _WORTH_SLICING * len(batches):
            batches = rows.combine_chunks().to_batches()
        by_day: dict[int, list[pa.RecordBatch]] = {}
        for batch in batches:
            for day, of_day in _by_day(batch):
                by_day.setdefault(day, []).append(of_day)
        for day, parts in by_day.items():
            found = pa.Table.from_batches(parts).drop_columns(_DAY)
            self._write_file(table, str(np.datetime64(day, "D")), found)

    def _write_file(self, table: str, day: str, rows: pa.Table) -> None:
        draft = self._draft(self._name_file(table, day, len(rows)))
        try:
            draft.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(rows, str(draft), **parquet_options(rows))
            sync(draft)
        except OSError as problem:
            raise refused(draft, problem) from problem

    def _name_file(self, table: str, day: str, rows: int) -> int:
        """Enter a file in the list; its number there."""
        folder = f"{table}/_date={day}"
        with self._numbers:
            part = self._parts.get(folder, 0)
            self._parts[folder] = part + 1
            name = f"{folder}/{self._load_id}{f'-{part}' if part else ''}.parquet"
            self._files.append(LakeFile(name, table, day, self._load_id, rows))
            return len(self._files) - 1

    def place(self) -> None:
        """Give the files their names in the lake, durable; the manifest may list them then."""
        drafts = {file.file: self._draft(number) for number, file in enumerate(self.files())}
        place(drafts, self._lake)
        shutil.rmtree(self._lake / _DRAFTS, ignore_errors=True)

    def _draft(self, number: int) -> Path:
        return self._lake / _DRAFTS / f"{number}.parquet"


def parquet_options(rows: pa.Table) -> dict[str, Any]:
    """How a file of the lake that begins with `rows` is written."""
    return {
        "filesystem": _LOCAL,
        "compression": _COMPRESSION,
        "use_dictionary": _repetitive(rows),
        "write_statistics": _STATISTICS,
        "store_schema": False,  # field ids and Parquet's own types say it all
    }


def place(drafts: Mapping[str, Path], lake: Path) -> None:
    """Rename each draft to its name below the lake, durable; StorageError if the disk refuses."""
    folders: set[Path] = set()
    try:
        for name, draft in drafts.items():
            path = lake / name
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.rename(path)
            folders.update((path.parent, *path.parents[1:3]))
        for folder in folders:
            sync(folder)
    except OSError as problem:
        raise refused(lake, problem) from problem


def _by_day(rows: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Each day (since 1970) with its rows, which mostly lie together as they came."""
    days = rows[_DAY].cast(pa.int32()).to_numpy(zero_copy_only=False)
    if (days[1:] < days[:-1]).any():
        order = np.argsort(days, kind="stable")
        rows, days = rows.take(pa.array(order)), days[order]
    starts = np.flatnonzero(np.diff(days, prepend=days[:1] - 1))
    for start, end in zip(starts, [*starts[1:], len(days)], strict=True):
        yield int(days[start]), rows.slice(start, end - start)


def _repetitive(rows: pa.Table) -> list[str]:
    """The text columns that say the same again and again, by a look at the first values."""
    if len(rows) < _WORTH_DICTIONARIES:
        return []
    texts = (f.name for f in rows.schema if f.type == pa.string())
    return [
        name for name in texts if len(rows[name].slice(0, _LOOKED_AT).unique()) <= _LOOKED_AT / 3
    ]


def _as_catalogued(rows: pa.Table, table: str, catalog: Catalog) -> pa.Table:
    """`rows` in the catalog's column order, with its types and field ids and no other columns."""
    schema = stored_schema(catalog, table, set(rows.column_names))
    columns = []
    for field in schema:
        column = rows.column(field.name)
        columns.append(column if column.type == field.type else pc.cast(column, field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def stored_schema(catalog: Catalog, table: str, names: Collection[str]) -> pa.Schema:
    """The columns `names` of `table` as its files hold them: in order, typed, with field ids."""
    return pa.schema(
        [
            pa.field(name, ARROW[kind], metadata={b"PARQUET:field_id": str(field_id).encode()})
            for name, (field_id, kind) in catalog.columns_of(table).items()
            if name in names
        ]
    )


def sweep(workspace: Workspace, manifest: Manifest) -> int:
    """Remove what a killed load left, files that no manifest knows of; how many there were.

    What a compaction retired stays: it is listed as such, or a symbolic link by now.
    """
    listed = {workspace.lake / file.file for file in manifest.files}
    listed |= {workspace.lake / retired.file for retired in manifest.retired}
    found = [path for path in workspace.lake.rglob("*") if not path.is_dir()]
    leftovers = [path for path in found if path not in listed and not path.is_symlink()]
    leftovers += workspace.home.glob(".*.tmp")
    leftovers += _unfinished_archive(workspace, manifest)
    for path in leftovers:
        path.unlink(missing_ok=True)
    shutil.rmtree(workspace.lake / _DRAFTS, ignore_errors=True)
    return len(leftovers) + sweep_ids(workspace, manifest)


def _unfinished_archive(workspace: Workspace, manifest: Manifest) -> list[Path]:
    """What loads that were never committed wrote to archive/_date=YYYY-MM-DD/<load_id>[-part]."""
    folder = workspace.archive
    return list(folder.glob("_date=*/.*.tmp")) + [
        path
        for path in folder.glob("_date=*/[0-9]*.parquet")
        if int(path.stem.split("-")[0]) >= manifest.next_load_id
    ]


def sweep_ids(workspace: Workspace, manifest: Manifest) -> int:
    """Remove the files of ids that were merged into others; how many there were."""
    listed = {workspace.ids / run.file for run in manifest.id_runs}
    leftovers = [path for path in workspace.ids.glob("*") if path not in listed]
    leftovers += workspace.ids.glob(".*.tmp")
    for path in leftovers:
        path.unlink(missing_ok=True)
    return len(leftovers)
