"""Picks out the rows that one table lacks, and writes those of many loads together."""

from typing import Final

import pyarrow as pa

from loader.load.parts import in_parts
from loader.load.standing import Standing
from loader.warehouse import Catalog, LakeWriter

_PART_BYTES: Final = 64 * 1024 * 1024  # held as Arrow before they are written: bounds memory


class LackingRows:
    """Takes what RowWriters hand over, load by load; what `table` lacks goes on to `lake`."""

    def __init__(self, lake: LakeWriter, table: str, standing: Standing) -> None:
        self.rows = 0  # that the load lacks
        self._lake = lake
        self._table = table
        self._standing = standing
        self._held: list[pa.Table] = []
        self._held_bytes = 0
        self._load_id = 0
        self._is_counted = False

    def begin(self, load_id: int, *, is_counted: bool) -> None:
        """The rows of another load follow; if they are only counted, they are not written."""
        self.rows, self._load_id, self._is_counted = 0, load_id, is_counted

    def write(self, table: str, rows: pa.Table, dates: pa.Array, catalog: Catalog) -> None:
        """Take the rows, among whose columns are the `dates`, if they are of the wanted table."""
        del dates
        if table != self._table:
            return
        lacking = self._standing.lacking(self._load_id, rows)
        self.rows += len(lacking)
        if len(lacking) and not self._is_counted:
            self._held.append(lacking)
            self._held_bytes += lacking.nbytes
        if self._held_bytes >= _PART_BYTES:
            self.finish(catalog)

    def wait(self) -> None:
        """Nothing: what is held stays bounded."""

    def finish(self, catalog: Catalog) -> None:
        """Write what is held, once what came before it is written."""
        self._lake.wait()
        for part in in_parts(self._held):
            rows = pa.concat_tables(part, promote_options="permissive")
            self._lake.write(self._table, rows, rows["_date"], catalog)
        self._held, self._held_bytes = [], 0
