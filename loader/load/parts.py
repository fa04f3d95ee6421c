"""How much of one table is held at once: a wide one takes memory however few of its values are."""

from collections.abc import Iterator, Sequence
from typing import Final

import pyarrow as pa

MAX_CELLS: Final = 20_000_000  # rows times columns


def in_parts(chunks: Sequence[pa.Table]) -> Iterator[list[pa.Table]]:
    """`chunks` of one table, as many at once as may stand in memory with each other's columns."""
    part: list[pa.Table] = []
    names: set[str] = set()
    rows = 0
    for chunk in chunks:
        if part and len(names.union(chunk.column_names)) * (rows + len(chunk)) > MAX_CELLS:
            yield part
            part, names, rows = [], set(), 0
        part.append(chunk)
        names.update(chunk.column_names)
        rows += len(chunk)
    if part:
        yield part
