"""Rows of raw.schema_changes: tables and columns that came, types that changed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

import pyarrow as pa

from loader.event.values import ARROW, ColumnType
from loader.warehouse.catalog import Catalog, fixed_columns
from loader.warehouse.lake import LakeWriter

TABLE: Final = "schema_changes"

Types = Mapping[str, Mapping[str, ColumnType]]  # table -> column that events added -> type


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One change; `sample` is what brought it: an event's name, or a JSON Pointer into it."""

    table_name: str
    column_name: str | None
    change: Literal["table_added", "column_added", "type_widened", "retyped"]
    old_type: ColumnType | None = None
    new_type: ColumnType | None = None
    sample: str | None = None


def changes_since(
    before: Types, catalog: Catalog, sample_of: Callable[[str, str | None], str | None]
) -> Iterator[SchemaChange]:
    """What `catalog` has that it had not, or otherwise, when its `types()` were `before`.

    `sample_of` is asked for what brought a table (column None) or a column.
    """
    for table, columns in catalog.types().items():
        known = before.get(table)
        if known is None:
            yield SchemaChange(table, None, "table_added", sample=sample_of(table, None))
            known = {}
        for name, kind in columns.items():
            old = known.get(name)
            if old is None:
                sample = sample_of(table, name)
                yield SchemaChange(table, name, "column_added", None, kind, sample)
            elif old is not kind:
                sample = sample_of(table, name)
                yield SchemaChange(table, name, "type_widened", old, kind, sample)


def write_changes(
    lake: LakeWriter, catalog: Catalog, changes: Sequence[SchemaChange], *, load_id: int
) -> None:
    """Write the rows, if any, among the load's files."""
    if not changes:
        return
    now = datetime.now(UTC)
    columns: dict[str, list[object]] = {
        name: [getattr(change, name) for change in changes] for name in SchemaChange.__slots__
    }
    columns |= {"load_id": [load_id] * len(changes), "changed_at": [now] * len(changes)}
    kinds = fixed_columns(TABLE)
    rows = pa.table({name: pa.array(columns[name], ARROW[kind]) for name, kind in kinds.items()})
    lake.write(TABLE, rows, pa.array([now.date()] * len(changes), pa.date32()), catalog)
