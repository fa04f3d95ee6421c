"""The raw tables and the columns that each has: what is fixed, and what events have added.

A column's type is fixed when it is first written; INT may become FLOAT, nothing else changes. Every
column has a field id, written into each Parquet file, by which DuckDB finds it whatever the file's
age. The types of `context_*` columns are shared by all tables.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

from loader.event.naming import CALL_TABLES
from loader.event.values import ColumnType

MAX_COLUMNS = 2_000  # that events may add to a table, or to the context that all tables share
_FIRST_OWN_FIELD_ID = 100
_NULLS_FIELD_ID = 99  # so that columns may still be added to those of all tables

_TEXT, _INT, _TIMESTAMP, _JSON = (
    ColumnType.TEXT,
    ColumnType.INT,
    ColumnType.TIMESTAMP,
    ColumnType.JSON,
)
_ENVELOPE: Final = {
    "id": _TEXT,
    "anonymous_id": _TEXT,
    "user_id": _TEXT,
    "received_at": _TIMESTAMP,
    "sent_at": _TIMESTAMP,
    "original_timestamp": _TIMESTAMP,
    "timestamp": _TIMESTAMP,
}
_OURS: Final = {
    "source_id": _TEXT,
    "loaded_at": _TIMESTAMP,
    "load_id": _INT,
    "_seq": _INT,
    "_rescued": _JSON,
    "_flags": _TEXT,  # a new one is added at the end: a field id is a place in this list
}
_EVENT: Final = {"event": _TEXT, "event_text": _TEXT}
_FIXED_BY_TABLE: Final = {
    "identifies": {},
    "pages": {},
    "screens": {},
    "groups": {"group_id": _TEXT},
    "aliases": {"previous_id": _TEXT},
    "tracks": _EVENT,
}
_NULLS: Final = {"_nulls": _TEXT}  # which traits were sent as null
_KEEPING_NULLS: Final = ("identifies", "groups")
_LOGS: Final = {
    "violations": {
        "load_id": _INT,
        "source_id": _TEXT,
        "received_at": _TIMESTAMP,
        "message_id": _TEXT,
        "type": _TEXT,
        "event": _TEXT,
        "path": _TEXT,
        "rule": _TEXT,
        "message": _TEXT,
        "action": _TEXT,
        "payload": _JSON,
    },
    "loads": {
        "load_id": _INT,
        "committed_at": _TIMESTAMP,
        "table_name": _TEXT,
        "dates": ColumnType.DATES,
        "rows": _INT,
        "commit_order": _INT,  # among the loads of all that load into this warehouse
        "first_seq": _INT,
    },
    "schema_changes": {
        "load_id": _INT,
        "changed_at": _TIMESTAMP,
        "table_name": _TEXT,
        "column_name": _TEXT,
        "change": _TEXT,
        "old_type": _TEXT,
        "new_type": _TEXT,
        "sample": _TEXT,
    },
}
# Columns that queries and dbt packages written for Segment's `pages` and `screens` expect to exist.
_EXPECTED: Final = {
    "pages": (
        *("name", "category", "path", "referrer", "search", "title", "url"),
        *(f"context_campaign_{part}" for part in ("source", "medium", "name", "term", "content")),
        *("context_ip", "context_user_agent"),
    ),
    "screens": ("name", "category"),
}


@dataclass(slots=True)
class TypeState:
    """The type of a column, and whether an INT column holds ints that no float could."""

    type: ColumnType
    has_big_ints: bool = False


@dataclass
class TableColumns:
    """The columns of one table that events have added: name -> field id, in order of arrival."""

    field_ids: dict[str, int] = field(default_factory=dict)
    types: dict[str, TypeState] = field(default_factory=dict)  # all but context_*, which are shared


def is_log(table: str) -> bool:
    """Whether `table` tells of loads, not of events."""
    return table in _LOGS


def event_tables(tables: Collection[str]) -> int:
    """How many of `tables` are those of single track events."""
    return len(set(tables).difference(CALL_TABLES.values(), _LOGS))


def _next_field_id(columns: TableColumns) -> int:
    return max(columns.field_ids.values(), default=_FIRST_OWN_FIELD_ID - 1) + 1


def fixed_columns(table: str) -> dict[str, ColumnType]:
    """The columns that `table` has whatever arrives, in order, with their types."""
    if table in _LOGS:
        return _LOGS[table]
    nulls = _NULLS if table in _KEEPING_NULLS else {}
    return {**_ENVELOPE, **_FIXED_BY_TABLE.get(table, _EVENT), **_OURS, **nulls}


class Catalog:
    """All raw tables and their columns; changed by a load, stored with the manifest."""

    def __init__(self) -> None:
        self.context: dict[str, TypeState] = {}
        self.tables: dict[str, TableColumns] = {}
        for table in (*CALL_TABLES.values(), *_LOGS):
            self.tables[table] = TableColumns()
            for name in _EXPECTED.get(table, ()):
                self.add_column(table, name, _TEXT)

    def state_of(self, table: str, name: str) -> TypeState | None:
        """The type of a column that events added, None before its first value."""
        if name.startswith("context_"):
            return self.context.get(name)
        columns = self.tables.get(table)
        return columns.types.get(name) if columns else None

    def types(self) -> dict[str, dict[str, ColumnType]]:
        """Every table and the columns that events added to it, with their types as of now."""
        return {
            table: {name: self._type_of(columns, name) for name in columns.field_ids}
            for table, columns in self.tables.items()
        }

    def add_table(self, table: str) -> None:
        """Let `table` exist, if it doesn't."""
        self.tables.setdefault(table, TableColumns())

    def add_column(self, table: str, name: str, column_type: ColumnType) -> TypeState:
        """Give `table` the column `name`; what is fixed already stays, the type too."""
        columns = self.tables.setdefault(table, TableColumns())
        if name not in columns.field_ids:
            columns.field_ids[name] = _next_field_id(columns)
        types = self.context if name.startswith("context_") else columns.types
        return types.setdefault(name, TypeState(column_type))

    def retype(self, tables: Collection[str], name: str, wanted: ColumnType) -> TypeState:
        """Give the column `name` of `tables`, all that share its type, another one.

        It gets a new field id with it, so that to views files of before have no such column.
        """
        for table in tables:
            columns = self.tables[table]
            state = self.add_column(table, name, wanted)
            columns.field_ids[name] = _next_field_id(columns)
        state.type = wanted
        return state

    def columns_of(self, table: str) -> dict[str, tuple[int, ColumnType]]:
        """Every column of `table` with its field id and type, ours last."""
        fixed = fixed_columns(table)
        ids = {name: number for number, name in enumerate(fixed, start=1)}
        ids["_nulls"] = _NULLS_FIELD_ID
        columns = self.tables[table]
        added = {
            name: (field_id, self._type_of(columns, name))
            for name, field_id in columns.field_ids.items()
        }
        ours = {**_OURS, **_NULLS}
        head = {name: (ids[name], fixed[name]) for name in fixed if name not in ours}
        tail = {name: (ids[name], fixed[name]) for name in fixed if name in ours}
        if table in _LOGS:
            return {name: (ids[name], fixed[name]) for name in fixed}
        return {**head, **added, **tail}

    def _type_of(self, columns: TableColumns, name: str) -> ColumnType:
        return (self.context if name.startswith("context_") else columns.types)[name].type

    def to_json(self) -> dict[str, Any]:
        """As the manifest stores it."""
        return {
            "context": {name: [s.type, s.has_big_ints] for name, s in self.context.items()},
            "tables": {
                table: {
                    "field_ids": columns.field_ids,
                    "types": {n: [s.type, s.has_big_ints] for n, s in columns.types.items()},
                }
                for table, columns in self.tables.items()
            },
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Catalog":
        """The catalog that `to_json` gave."""

        def states(pairs: dict[str, Any]) -> dict[str, TypeState]:
            return {name: TypeState(ColumnType(kind), big) for name, (kind, big) in pairs.items()}

        catalog = cls()
        catalog.context = states(found["context"])
        stored = {
            table: TableColumns(dict(columns["field_ids"]), states(columns["types"]))
            for table, columns in found["tables"].items()
        }
        catalog.tables |= stored  # a table that is fixed since then is there too
        return catalog
