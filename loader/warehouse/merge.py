"""Merging: the rows of some files of one table and day, streamed into few files as drafts."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loader.config import Workspace
from loader.durable import refused, sync
from loader.warehouse.catalog import Catalog
from loader.warehouse.lake import parquet_options, stored_schema
from loader.warehouse.manifest import LakeFile
from loader.warehouse.views import as_pattern, quote, text

TARGET_BYTES: Final = 256 * 1024 * 1024  # a file; beyond it the next one begins
_BATCH_ROWS: Final = 8_192  # taken at once: events have 32 KB at most
_MEMORY: Final = "1GB"  # for sorting; the rest goes to the disk
_GROUP_BYTES, _GROUP_ROWS = 64 * 1024 * 1024, 1_048_576  # held as Arrow, written as a row group

Rewrite = Callable[[pa.Table], pa.Table]


@dataclass(frozen=True, slots=True)
class MergedFile:
    """A file that no manifest lists yet."""

    draft: Path
    rows: int


class Merger:
    """Merges files into drafts; sorting what is larger than memory beside them on the disk."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        target_bytes: int = TARGET_BYTES,
        group_rows: int = _GROUP_ROWS,
    ) -> None:
        self._lake = workspace.lake
        self._folder = workspace.compaction
        self._target_bytes = target_bytes
        self._group_rows = group_rows
        spill = str(self._folder / "sorting")
        self._engine = duckdb.connect(config={"temp_directory": spill, "memory_limit": _MEMORY})
        self._engine.execute("set TimeZone = 'UTC'")

    def close(self) -> None:
        """Let memory and disk go."""
        self._engine.close()

    def merge(
        self,
        catalog: Catalog,
        files: Sequence[LakeFile],
        rewrite: Rewrite | None = None,
        *,
        added: Collection[str] = (),
    ) -> list[MergedFile]:
        """The rows of `files` (of one table and day) by `_seq`, typed as `catalog` has it.

        Logs, which have no `_seq`, keep their order. Columns that no file has are left out, but for
        those that `rewrite`, which may change each batch of rows or leave some out, has `added`; a
        file without rows is none. Durable, but for the
        drafts' names. Raises StorageError if the disk refuses.
        """
        paths = [self._lake / file.file for file in files]
        names = list(dict.fromkeys(n for path in paths for n in pq.read_schema(path).names))
        schema = stored_schema(catalog, files[0].table_name, {*names, *added})
        label = f"{files[0].table_name}-{files[0].date}"
        writer = _Writer(
            self._folder / label,
            schema,
            target_bytes=self._target_bytes,
            group_rows=self._group_rows,
        )
        try:
            for batch in self._engine.sql(_query(paths, names)).to_arrow_reader(_BATCH_ROWS):
                rows = pa.Table.from_batches([batch])
                rows = rewrite(rows) if rewrite else rows
                if len(rows):
                    writer.add(_typed(rows, schema))
            return writer.close()
        except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as problem:
            raise refused(self._folder, problem) from problem


def _query(paths: Sequence[Path], names: Sequence[str]) -> str:
    columns = ", ".join(map(quote, names))
    files = ", ".join(text(as_pattern(path)) for path in paths)
    order = " order by _seq" if "_seq" in names else ""
    return (
        f"select {columns} from read_parquet([{files}], union_by_name = true, "
        f"hive_partitioning = false){order}"
    )


def _typed(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """`rows` with the columns of `schema`, null where they have none."""
    found = set(rows.column_names)
    columns = [
        pc.cast(rows.column(field.name), field.type)
        if field.name in found
        else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


class _Writer:
    """Gathers rows to row groups, and those to files of about the target size."""

    def __init__(
        self, drafts: Path, schema: pa.Schema, *, target_bytes: int, group_rows: int
    ) -> None:
        self._drafts = drafts
        self._target_bytes = target_bytes
        self._group_rows = group_rows
        self._schema = schema
        self._held: list[pa.Table] = []
        self._held_bytes = self._held_rows = 0
        self._file: pq.ParquetWriter | None = None
        self._files: list[MergedFile] = []
        self._rows = 0

    def add(self, rows: pa.Table) -> None:
        self._held.append(rows)
        self._held_bytes += rows.nbytes
        self._held_rows += len(rows)
        if self._held_bytes >= _GROUP_BYTES or self._held_rows >= self._group_rows:
            self._write_group()
            if self._path.stat().st_size >= self._target_bytes:
                self._close_file()

    def close(self) -> list[MergedFile]:
        if self._held:
            self._write_group()
        self._close_file()
        return self._files

    @property
    def _path(self) -> Path:
        return self._drafts.with_name(f"{self._drafts.name}-{len(self._files)}.parquet")

    def _write_group(self) -> None:
        rows = pa.concat_tables(self._held)
        if self._file is None:
            options = parquet_options(rows)
            self._file = pq.ParquetWriter(str(self._path), self._schema, **options)
        self._file.write_table(rows, row_group_size=len(rows))
        self._rows += len(rows)
        self._held, self._held_bytes, self._held_rows = [], 0, 0

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            sync(self._path)
            self._files.append(MergedFile(self._path, self._rows))
            self._file, self._rows = None, 0
