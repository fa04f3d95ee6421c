"""Events of one raw table, turned from rows into columns as they come.

A key's place in the event (its JSON Pointer) is resolved to a column once and remembered, so that
the work per value is a look-up and an append. The first value of a column fixes its type; whether
the others fit is settled later, a column at a time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, NamedTuple

import pyarrow as pa

from loader.event.naming import column_name
from loader.event.values import MAX_EXACT_INT, ColumnType, json_text, type_of
from loader.load.room import Room
from loader.warehouse import MAX_COLUMNS, Catalog
from loader.warehouse.catalog import fixed_columns

MAX_DEPTH = 16
_MET_TOLD = 10  # of keys that meet in one column: enough to see what is wrong


def as_pointer(key: str) -> str:
    """`key` as a step of a JSON Pointer."""
    return key.replace("~", "~0").replace("/", "~1")


@dataclass(slots=True)
class Column:
    """The values of one column of one table, in row order; what is missing at the end is null."""

    name: str
    pointer: str
    values: list[Any] = field(default_factory=list)
    other_pointers: dict[int, str] = field(default_factory=dict)  # rows that another key filled
    twins: dict[int, list[str]] = field(default_factory=dict)  # keys that had the same value


class LearntKey(NamedTuple):
    """A key that fills a column: its object's pointer (`/context`, …, or the event's own: ""),
    the path below it, and the column; or, `of_null`, one of a trait that was null, and its name.
    """

    root: str
    path: tuple[str, ...]
    column: str
    of_null: bool = False


class _Key:
    """One key at one place of the event: the column of its scalars, the keys of its objects."""

    __slots__ = (
        *("children", "column", "is_kept", "is_settled", "null_name", "path", "pointer", "root"),
        "values",
    )

    def __init__(self, root: str, path: tuple[str, ...], pointer: str) -> None:
        self.root = root
        self.path = path  # below the root
        self.pointer = pointer
        self.children: dict[str, _Key] = {}
        self.is_kept = True  # whether it is remembered for the next event
        self.is_settled = False  # whether it is known which column it fills
        self.null_name = ""  # what it is called in _nulls, once it was null
        self.column: Column | None = None  # None once settled: its values are kept in _rescued
        self.values: list[Any] | None = None  # the column's own list, if no other key fills it


class TableBuffer:
    """Rows of one raw table, held as columns until they are taken."""

    def __init__(self, table: str, catalog: Catalog, room: Room) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.rescued: dict[int, dict[str, Any]] = {}
        self.nulls: dict[int, set[str]] = {}  # names of the traits that were null, by row
        self.columns: dict[str, Column] = {}
        self.met: dict[str, set[str]] = {}  # column -> keys that meet in it
        self.overflow = ""  # the first key for whose column there was no room
        self.learnt: list[LearntKey] = []  # since somebody took them from here
        self._table = table
        self._catalog = catalog
        self._reserved = frozenset(fixed_columns(table))
        self._keeps_nulls = "_nulls" in self._reserved
        known = catalog.tables.get(table)
        self._known = frozenset(known.field_ids if known else ())
        self._own_room = MAX_COLUMNS - len(self._known)
        self._room = room
        self._roots: dict[str, _Key] = {}

    def add(
        self, row: tuple[Any, ...], parts: Mapping[str, Mapping[str, Any]], rescued: dict[str, Any]
    ) -> None:
        """Take one event: its fixed columns, and its objects by their pointer ("/context", …)."""
        index = len(self.rows)
        self.rows.append(row)
        for pointer, part in parts.items():
            if part:
                root = self._roots.get(pointer)
                if root is None:
                    root = self._roots[pointer] = _Key(pointer, (), pointer)
                self._walk(root, part, index, rescued, MAX_DEPTH)
        if rescued:
            self.rescued[index] = rescued

    def nulls_json(self) -> pa.Array:
        """The names of the traits of each row that were null, sorted; null where none was."""
        return self._as_json({row: sorted(names) for row, names in self.nulls.items()})

    def rescued_json(self) -> tuple[pa.Array, pa.Array]:
        """What was rescued of each row: all of it, and what is not of its properties."""
        outside = {
            row: left
            for row, found in self.rescued.items()
            if (left := {p: v for p, v in found.items() if not p.startswith("/properties")})
        }
        return self._as_json(self.rescued), self._as_json(outside)

    def _as_json(self, found: Mapping[int, Any]) -> pa.Array:
        if not found:
            return pa.nulls(len(self.rows), pa.string())
        texts = [json_text(found[row]) if row in found else None for row in range(len(self.rows))]
        return pa.array(texts, pa.string())

    def _walk(
        self,
        node: _Key,
        part: Mapping[str, Any],
        index: int,
        rescued: dict[str, Any],
        depth: int,
    ) -> None:
        children = node.children
        for name, value in part.items():
            if value is None:
                if self._keeps_nulls and node.root == "/traits":
                    self._note_null(children.get(name) or self._new_key(node, name), index)
                continue
            key = children.get(name)
            if key is None:
                key = self._new_key(node, name)
            if type(value) is dict:
                if depth:
                    self._walk(key, value, index, rescued, depth - 1)
                else:
                    rescued[key.pointer] = value
                continue
            values = key.values
            if values is None or index < len(values):
                self._put(key, value, index, rescued)
                continue
            missing = index - len(values)
            if missing:
                values.extend(repeat(None, missing))
            values.append(value)

    def _put(self, key: _Key, value: Any, index: int, rescued: dict[str, Any]) -> None:
        """Take a value whose key is new, shares its column with another, or has none."""
        if not key.is_settled:
            self._settle(key, value)
        column = key.column
        if column is None:
            rescued[key.pointer] = value
            return
        values = column.values
        if index < len(values):  # another key of this event was first
            if repr(values[index]) != repr(value):  # 1 == True, but is not the same
                rescued[key.pointer] = value
            else:
                column.twins.setdefault(index, []).append(key.pointer)
            return
        values.extend(repeat(None, index - len(values)))
        values.append(value)
        if column.pointer == key.pointer:
            key.values = values
        else:
            column.other_pointers[index] = key.pointer

    def _note_null(self, key: _Key, index: int) -> None:
        if not key.null_name:
            key.null_name = column_name(key.path)
            if key.is_kept:
                self.learnt.append(LearntKey(key.root, key.path, key.null_name, of_null=True))
        self.nulls.setdefault(index, set()).add(key.null_name)

    def _new_key(self, node: _Key, name: str) -> _Key:
        key = _Key(node.root, (*node.path, name), f"{node.pointer}/{as_pointer(name)}")
        key.is_kept = self._room.take_key()
        if key.is_kept:
            node.children[name] = key
        return key

    def _settle(self, key: _Key, value: Any) -> None:
        """Find the key's column; its first value fixes the type, unless no column could hold it."""
        is_from_context = key.root == "/context"
        name = column_name(("context", *key.path) if is_from_context else key.path)
        if self._catalog.state_of(self._table, name) is None:
            kind = type_of(value)
            if kind is None:
                return
        else:
            kind = None
        key.column = self._column_of(key, name, is_from_context=is_from_context)
        key.is_settled = True
        if key.column is not None:
            if kind is not None:
                state = self._catalog.add_column(self._table, name, kind)
                state.has_big_ints |= kind is ColumnType.INT and abs(value) > MAX_EXACT_INT
            if key.is_kept:
                self.learnt.append(LearntKey(key.root, key.path, name))

    def _column_of(self, key: _Key, name: str, *, is_from_context: bool) -> Column | None:
        """The column of a key; None where its name is taken by us or the table is full."""
        if name in self._reserved or (name.startswith("context_") and not is_from_context):
            return None
        column = self.columns.get(name)
        if column is not None:
            if key.pointer != column.pointer:
                met = self.met.setdefault(name, {column.pointer})
                if len(met) < _MET_TOLD:
                    met.add(key.pointer)
            return column
        if name not in self._known:
            if self._own_room <= 0 or not self._room.take_column(name):
                self.overflow = self.overflow or key.pointer
                return None
            self._own_room -= 1
        column = self.columns[name] = Column(name, key.pointer)
        return column

    def clear(self) -> None:
        """Forget the rows, keep what was learnt of the keys."""
        self.rows = []
        self.rescued = {}
        self.nulls = {}
        for column in self.columns.values():
            column.values.clear()
            column.other_pointers.clear()
            column.twins.clear()
