"""How a batch of rows is changed when columns take other types."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from loader.event.envelope import BODY_FIELD
from loader.event.naming import CALL_TABLES, column_name
from loader.event.values import (
    ARROW,
    MAX_EXACT_INT,
    MISFIT,
    ColumnType,
    fit,
    json_text,
    parse_timestamps,
)
from loader.warehouse.catalog import fixed_columns

_BODY_OF: Final = {CALL_TABLES[call]: body for call, body in BODY_FIELD.items()}
_NAMED_CALLS: Final = ("pages", "screens")  # whose `name` and `category` stand beside the body
_LONGEST_NUMBER: Final = 32


@dataclass
class ColumnRewrite:
    """One column's change, and what it came to so far; `pointers` are places it was filled from."""

    name: str
    old: ColumnType
    new: ColumnType
    pointers: list[str]
    taken_back: int = 0
    rescued: int = 0
    has_big_ints: bool = False


@dataclass
class TableRewrite:
    """The change of one table's columns: call it with each batch of its rows."""

    table: str
    columns: dict[str, ColumnRewrite] = field(default_factory=dict)

    def __call__(self, rows: pa.Table) -> pa.Table:
        """`rows` with the columns' new types; what doesn't fit is moved to `_rescued`."""
        values: dict[str, list[Any]] = {}
        misfits: dict[int, list[tuple[str, Any]]] = {}
        for name, change in self.columns.items():
            stored = [None] * len(rows)
            if name in rows.column_names:
                stored = rows.column(name).to_pylist()
            values[name] = [None if v is None else convert(v, change) for v in stored]
            for row, value in enumerate(values[name]):
                if value is MISFIT:
                    misfits.setdefault(row, []).append((name, as_sent(stored[row])))
                    values[name][row] = None
        texts = rows.column("_rescued").to_pylist()
        emptied = {(row, name) for row, found in misfits.items() for name, _ in found}
        taken = self._take_back(rows, values, emptied)
        for row in {*misfits, *taken}:
            kept = msgspec.json.decode(texts[row]) if texts[row] else {}
            for pointer in taken.get(row, ()):
                del kept[pointer]
            for name, value in misfits.get(row, ()):
                kept[self._free_pointer(name, kept)] = value
                self.columns[name].rescued += 1
            texts[row] = json_text(kept) if kept else None
        return self._replaced(rows, values, texts)

    def _take_back(
        self, rows: pa.Table, values: dict[str, list[Any]], emptied: Collection[tuple[int, str]]
    ) -> dict[int, list[str]]:
        """Fill empty places with what `_rescued` has for them; the pointers, by row."""
        taken: dict[int, list[str]] = {}
        for row, kept in rescued_values(rows, self.table, self.columns):
            for pointer, (name, value) in kept.items():
                fitted = fit(value, self.columns[name].new)
                is_empty = values[name][row] is None and (row, name) not in emptied
                if is_empty and fitted is not MISFIT:
                    values[name][row] = fitted
                    taken.setdefault(row, []).append(pointer)
                    self.columns[name].taken_back += 1
        return taken

    def _replaced(
        self, rows: pa.Table, values: dict[str, list[Any]], texts: list[str | None]
    ) -> pa.Table:
        columns = {name: rows.column(name) for name in rows.column_names}
        for name, change in self.columns.items():
            if change.new is ColumnType.TIMESTAMP:
                columns[name] = parse_timestamps([v and as_sent(v) for v in values[name]])
            else:
                columns[name] = pa.array(values[name], ARROW[change.new])
            if change.new is ColumnType.INT:
                low, high = pc.min_max(columns[name]).values()
                big = low.is_valid and max(-low.as_py(), high.as_py()) > MAX_EXACT_INT
                change.has_big_ints |= bool(big)
        columns["_rescued"] = pa.array(texts, ARROW[ColumnType.JSON])
        return pa.table(columns)

    def _free_pointer(self, name: str, kept: Collection[str]) -> str:
        """Where in `_rescued` a value of the column goes: its key, as far as that is known."""
        context = name.removeprefix("context_")
        own = f"/{_body_of(self.table)}/{name}" if context == name else f"/context/{context}"
        pointers = [*self.columns[name].pointers, own]
        pointers += [f"{own}_{number}" for number in range(2, len(kept) + 3)]
        return next(pointer for pointer in pointers if pointer not in kept)


def convert(value: Any, change: ColumnRewrite) -> Any:
    """A stored value as the new type has it, or MISFIT.

    Text becomes a number or a boolean where it is the JSON text of one, which is how text columns
    hold those; so whatever is converted can be told again from what it became.
    """
    if change.old is change.new:
        return value
    if change.old is not ColumnType.TEXT:
        return fit(as_sent(value), change.new)
    if change.new is ColumnType.TIMESTAMP:
        return fit(value, change.new)
    if len(value) > _LONGEST_NUMBER:
        return MISFIT
    try:
        found = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return MISFIT
    is_same = isinstance(found, bool | int | float) and json_text(found) == value
    return fit(found, change.new) if is_same else MISFIT


def as_sent(value: Any) -> Any:
    """A stored value as events have it: a time is its ISO-8601 text, 1.0 may have been a 1."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_EXACT_INT:
        return int(value)
    return value


def rescued_values(
    rows: pa.Table | pa.RecordBatch, table: str, names: Collection[str]
) -> Iterator[tuple[int, dict[str, tuple[str, Any]]]]:
    """Rows of which `_rescued` has something of the columns `names`: pointer -> column, value."""
    texts = rows.column("_rescued")
    for row in pc.indices_nonzero(texts.is_valid()).to_pylist():
        found = {}
        for pointer, value in msgspec.json.decode(texts[row].as_py()).items():
            name = column_at(pointer, table)
            if name is not None and name in names and not isinstance(value, dict):
                found[pointer] = (name, value)
        if found:
            yield row, found


@lru_cache(maxsize=65_536)
def column_at(pointer: str, table: str) -> str | None:
    """The column of `table` for the value at `pointer`; None if no column may hold it."""
    root, *keys = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    is_context = root == "context"
    if is_context and keys:
        path = ("context", *keys)
    elif root == _body_of(table) and keys:
        path = tuple(keys)
    elif table in _NAMED_CALLS and root in ("name", "category") and not keys:
        path = (root,)
    else:
        return None
    name = column_name(path)
    is_ours = name in fixed_columns(table) or (name.startswith("context_") and not is_context)
    return None if is_ours else name


def _body_of(table: str) -> str:
    return _BODY_OF.get(table, "properties")
