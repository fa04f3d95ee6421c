"""The columns that a contract names, so that they exist before the first event that has them."""

from collections.abc import Iterator
from typing import Any

from loader.contracts.plan import Contract
from loader.event.envelope import BODY_FIELD
from loader.event.naming import column_name
from loader.event.values import ColumnType

_TYPES = {
    "string": ColumnType.TEXT,
    "number": ColumnType.FLOAT,
    "integer": ColumnType.INT,
    "boolean": ColumnType.BOOL,
    "array": ColumnType.TEXT,  # arrays are stored as JSON text
}
_MAX_DEPTH = 16


def columns_named(contract: Contract) -> Iterator[tuple[str, ColumnType]]:
    """Each column to which the contract gives exactly one type, with that type."""
    described = contract.schema.get("properties", {})
    if contract.table:
        yield from _columns(described.get(BODY_FIELD[contract.call]), (), _MAX_DEPTH)
        yield from _columns(described.get("context"), ("context",), _MAX_DEPTH)


def _columns(schema: Any, path: tuple[str, ...], depth: int) -> Iterator[tuple[str, ColumnType]]:
    described = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(described, dict) or not depth:
        return
    for name, rules in described.items():
        column_type = _type_of(rules)
        if column_type is not None:
            yield column_name((*path, name)), column_type
        yield from _columns(rules, (*path, name), depth - 1)


def _type_of(rules: Any) -> ColumnType | None:
    if not isinstance(rules, dict):
        return None
    kinds = rules.get("type")
    kinds = [kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if kind != "null"]
    if kinds == ["string"] and rules.get("format") == "date-time":
        return ColumnType.TIMESTAMP
    return _TYPES.get(str(kinds[0])) if len(kinds) == 1 else None
