"""What one raw table has now of each load, and what it lacks."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loader.config import Workspace
from loader.durable import refused
from loader.warehouse import LakeFile, Manifest

_BATCH_ROWS: Final = 16_384


class Standing(Protocol):
    """One raw table as it stands."""

    @property
    def replaced(self) -> Sequence[LakeFile]:
        """Files of the manifest whose place the rebuilt ones take."""

    @property
    def has_whole_loads(self) -> bool:
        """Whether a load's rows are there all or none, unless somebody has meddled with them."""

    def incomplete(self, expected: Mapping[int, int]) -> dict[int, int]:
        """Of loads and the rows that each brought, those that lack rows: the rows they have."""

    def days_lacking(self, dates: Sequence[date]) -> list[date]:
        """Which of the days that an incomplete load wrote to may lack rows."""

    def lacking(self, load_id: int, rows: pa.Table) -> pa.Table:
        """Which of `rows` of an incomplete load (with `_seq`, `_date`) the table lacks."""


class LakeTable:
    """A table of the lake: it lacks what stood in listed files that are gone, or damaged.

    Such a file is replaced if the archive still has its day; else it stays listed, since it may
    come back from a backup.
    """

    has_whole_loads = False

    def __init__(self, workspace: Workspace, manifest: Manifest, table: str) -> None:
        self._lake = workspace.lake
        self._rows: dict[LakeFile, Counter[int]] = {}
        self._lost: list[LakeFile] = []
        for file in manifest.files:
            if file.table_name == table:
                rows = _rows_in(self._lake / file.file)
                if rows is None or rows.total() != file.rows:
                    self._lost.append(file)
                else:
                    self._rows[file] = rows
        archived = {path.name.removeprefix("_date=") for path in workspace.archive.glob("_date=*")}
        self.replaced = [file for file in self._lost if file.date in archived]
        self._days = {file.date for file in self.replaced}
        self._known: tuple[int, pa.Array] = (-1, pa.array([], pa.int64()))

    def incomplete(self, expected: Mapping[int, int]) -> dict[int, int]:
        """See Standing."""
        if not self._lost:
            return {}
        there: Counter[int] = Counter()
        for rows in self._rows.values():
            there.update(rows)
        return incomplete(expected, there)

    def days_lacking(self, dates: Sequence[date]) -> list[date]:
        """See Standing."""
        lost = {file.date for file in self._lost}
        return [day for day in dates if day.isoformat() in lost]

    def lacking(self, load_id: int, rows: pa.Table) -> pa.Table:
        """See Standing."""
        days = pc.cast(rows["_date"], pa.string())
        is_lost = pc.is_in(days, pa.array(sorted(self._days), pa.string()))
        is_there = pc.is_in(rows["_seq"], self._seqs_of(load_id))
        return rows.filter(pc.and_(is_lost, pc.invert(is_there)))

    def _seqs_of(self, load_id: int) -> pa.Array:
        """The `_seq` of the load's rows that other files of the lost ones' days have."""
        if self._known[0] != load_id:
            parts = [pa.array([], pa.int64())]
            for file, rows in self._rows.items():
                if file.date in self._days and rows[load_id]:
                    path = str(self._lake / file.file)
                    wanted = [("load_id", "=", load_id)]
                    found = pq.read_table(path, columns=["_seq"], filters=wanted, partitioning=None)
                    parts += found["_seq"].chunks
            self._known = load_id, pa.concat_arrays(parts)
        return self._known[1]


class BigQueryTable:
    """A table in BigQuery, with what the lake still holds of it because it has not been sent."""

    has_whole_loads = True
    replaced: Sequence[LakeFile] = ()

    def __init__(self, workspace: Workspace, manifest: Manifest, table: str) -> None:
        self._workspace = workspace
        self._table = table
        self._outgoing = [file for file in manifest.files if file.table_name == table]

    def incomplete(self, expected: Mapping[int, int]) -> dict[int, int]:
        """See Standing."""
        from loader.warehouse.bigquery.standing import rows_by_load  # noqa: PLC0415 - slow

        if not expected:
            return {}
        rows = rows_by_load(self._workspace, self._table, min(expected), max(expected))
        for file in self._outgoing:
            rows.update(_rows_in(self._workspace.lake / file.file) or {})
        return incomplete(expected, rows)

    def days_lacking(self, dates: Sequence[date]) -> list[date]:
        """See Standing."""
        return list(dates)

    def lacking(self, load_id: int, rows: pa.Table) -> pa.Table:  # noqa: ARG002 - others ask
        """See Standing."""
        return rows


def incomplete(expected: Mapping[int, int], rows: Mapping[int, int]) -> dict[int, int]:
    """The loads that have fewer rows than expected, and how many they have."""
    return {
        load_id: rows.get(load_id, 0)
        for load_id, count in sorted(expected.items())
        if rows.get(load_id, 0) < count
    }


def _rows_in(path: Path) -> Counter[int] | None:
    """How many rows of each load the file has; None if it is gone or damaged."""
    rows: Counter[int] = Counter()
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_BATCH_ROWS):  # all columns: any may be damaged
                counts = batch.column("load_id").value_counts()
                rows.update({found["values"].as_py(): found["counts"].as_py() for found in counts})
    except PermissionError as problem:
        raise refused(path, problem) from problem
    except (OSError, KeyError, pa.ArrowException):
        return None
    return rows
