"""What raw tables should hold, worked out one event and one value at a time, in plain Python.

It shares nothing with the loader but the names of tables and columns, which tests/event hold.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from loader.event.naming import column_name, table_name

TABLES = {"identify": "identifies", "page": "pages", "group": "groups"}
BODIES = {"track": "properties", "identify": "traits", "page": "properties", "group": "traits"}
RESERVED = {
    *("id", "anonymous_id", "user_id", "event", "event_text", "group_id"),
    *("received_at", "sent_at", "original_timestamp", "timestamp"),
    *("source_id", "loaded_at", "load_id"),
}
GIVEN = {("pages", name): "text" for name in ("name", "category", "path", "title")}
EXACT = 2**53


@dataclass
class Oracle:
    """Takes events in order; `rows` has each table's rows by id, `rescued` what they lost, `nulls`
    which of their traits were null.
    """

    types: dict[tuple[str, str], str] = field(
        default_factory=lambda: {**GIVEN, ("", "context_ip"): "text"}
    )
    has_big_ints: set[tuple[str, str]] = field(default_factory=set)
    rows: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    rescued: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    nulls: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def take(self, event: dict[str, Any]) -> None:
        call, body = event["type"], BODIES[event["type"]]
        table = table_name(event["event"]) if call == "track" else TABLES[call]
        row: dict[str, Any] = {}
        rescued = {"/extra": event["extra"]} if event.get("extra") is not None else {}
        parts = [(f"/{body}", (), event[body]), ("/context", ("context",), event["context"])]
        if call == "page":
            parts.insert(0, ("", (), {"name": event.get("name")}))
        claimed: dict[str, Any] = {}
        lost: set[str] = set()  # columns that could not hold what claimed them
        for pointer, path, part in parts:
            for place, keys, value in leaves(pointer, path, part):
                column = column_name(keys)
                is_stranger = column.startswith("context_") and pointer != "/context"
                if column in self.reserved(table) or is_stranger:
                    rescued[place] = value
                elif self.type_of(table, column) is None and first_type(value) is None:
                    rescued[place] = value  # no column could hold it
                elif column in claimed:
                    if column in lost or repr(claimed[column]) != repr(value):
                        rescued[place] = value
                else:
                    claimed[column] = value
                    if not self._put(table, row, column, value):
                        lost.add(column)
                        rescued[place] = value
        self._keep(table, event["messageId"], row, rescued)
        if body == "traits" and (nulls := list(nulls_in((), event[body]))):
            self.nulls[table, event["messageId"]] = sorted(set(map(column_name, nulls)))
        if call == "track":
            shared = {name: value for name, value in row.items() if name.startswith("context_")}
            outside = {p: v for p, v in rescued.items() if not p.startswith("/properties")}
            self._keep("tracks", event["messageId"], shared, outside)

    def reserved(self, table: str) -> set[str]:
        absent = set() if table == "groups" else {"group_id"}
        return RESERVED - absent - ({"event", "event_text"} if table in TABLES.values() else set())

    def type_of(self, table: str, column: str) -> str | None:
        return self.types.get(("" if column.startswith("context_") else table, column))

    def _keep(self, table: str, id_: str, row: dict[str, Any], rescued: dict[str, Any]) -> None:
        self.rows.setdefault(table, {})[id_] = row
        self.rescued.setdefault(table, {})[id_] = rescued

    def _put(self, table: str, row: dict[str, Any], column: str, value: Any) -> bool:
        """Give the row its value; False where the column can't hold it."""
        scope = ("" if column.startswith("context_") else table, column)
        known = self.types.get(scope) or first_type(value)
        if known is None:
            return False
        if known == "int" and isinstance(value, float) and not holds("int", value):
            if scope in self.has_big_ints:
                return False
            known = "float"
        self.types[scope] = known
        if not holds(known, value):
            return False
        if known == "int" and abs(value) > EXACT:
            self.has_big_ints.add(scope)
        row[column] = value
        return True


def leaves(pointer: str, path: tuple[str, ...], part: dict[str, Any]) -> Iterator[Any]:
    for name, value in part.items():
        place = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
        if isinstance(value, dict):
            yield from leaves(place, (*path, name), value)
        elif value is not None:
            yield place, (*path, name), value


def nulls_in(path: tuple[str, ...], part: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, value in part.items():
        if isinstance(value, dict):
            yield from nulls_in((*path, name), value)
        elif value is None:
            yield (*path, name)


def first_type(value: Any) -> str | None:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if -(2**63) <= value < 2**63 else None
    if isinstance(value, float):
        return "float"
    return "timestamp" if is_time(value) else "text"


def holds(known: str, value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if known == "int":
        if isinstance(value, float):
            return value == int(value) and abs(value) <= EXACT
        return is_number and -(2**63) <= value < 2**63
    if known == "float":
        return is_number and (isinstance(value, float) or abs(value) <= EXACT)
    if known == "bool":
        return isinstance(value, bool)
    return known == "text" or is_time(value)


def is_time(value: Any) -> bool:
    return isinstance(value, str) and value[:2] == "20" and value[10:11] == "T"


def same(known: str | None, expected: Any, found: Any) -> bool:
    """Whether a column of the type `known` holds what was expected of it."""
    if expected is None or found is None:
        return expected is found
    if known == "text":
        return (
            found == expected if isinstance(expected, str) else alike(json.loads(found), expected)
        )
    if known == "timestamp":
        return found == datetime.fromisoformat(expected)
    return type(found).__name__ == known and found == expected


def alike(found: Any, expected: Any) -> bool:
    """Whether two JSON values are the same, 1 and true and 1.0 being three of them."""
    return json.dumps(found, sort_keys=True) == json.dumps(expected, sort_keys=True)
