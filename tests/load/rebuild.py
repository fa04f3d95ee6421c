"""Finds every scalar of an event again in what was stored of it: in its row, or in `_rescued`.

It shares nothing with the loader but the names of tables and columns, which tests/event hold. What
raw tables don't store (see docs/reference/raw_tables.md) is not looked for.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from loader.config import Workspace
from loader.event.naming import CALL_TABLES, column_name, table_name
from loader.warehouse import connect, read_manifest
from loader.warehouse.views import quote

NOT_STORED = {"type", "integrations", "channel", "version", "projectId", "writeKey", "_metadata"}
TIMES = {
    "receivedAt": ["received_at"],
    "sentAt": ["sent_at"],
    "originalTimestamp": ["original_timestamp"],
    "timestamp": ["timestamp", "original_timestamp"],
}
IDS = {"messageId": "id", "userId": "user_id", "anonymousId": "anonymous_id"}
OWN_IDS = {"group": ("groupId", "group_id"), "alias": ("previousId", "previous_id")}
BODIES = {"identify": "traits", "group": "traits", "alias": "traits"}
LONG_FRACTION = re.compile(r"(.*[.,]\d{6})(\d+)(.*)", re.DOTALL)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LOGS = {"violations", "loads", "schema_changes"}

Row = dict[str, Any]


def read_rows(workspace: Workspace) -> dict[str, dict[str, Row]]:
    """Each raw table's rows by id, read as users read them; an id stands once in a table."""
    tables = {}
    with connect(workspace) as connection:
        for table in read_manifest(workspace).catalog.tables.keys() - LOGS:
            result = connection.execute(f"select * from raw.{quote(table)}")
            names = [column[0] for column in result.description]
            rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
            tables[table] = {row["id"]: row for row in rows}
            assert len(tables[table]) == len(rows), table
    return tables


def lost(event: Row, tables: dict[str, dict[str, Row]], id_: str) -> list[str]:
    """What of an accepted event is neither in its row nor in what was rescued beside it."""
    call = event["type"].lower()
    table = table_name(event["event"]) if call == "track" else CALL_TABLES[call]
    missing = list(_lost(event, call, tables[table][id_], is_whole=True))
    if call == "track":
        missing += _lost(event, call, tables["tracks"][id_], is_whole=False)
    return [f"{table} {id_}: {found}" for found in missing]


def _lost(event: Row, call: str, row: Row, *, is_whole: bool) -> Iterator[str]:
    """The same of one row; `tracks`, which is not whole, has no properties."""
    rescued = json.loads(row["_rescued"] or "{}")
    body = BODIES.get(call, "properties")
    ids = dict([*IDS.items(), *([OWN_IDS[call]] if call in OWN_IDS else [])])
    for field, value in event.items():
        if field in NOT_STORED or (field == body and not is_whole):
            continue
        for pointer, path, scalar in leaves(pointed("", field), (field,), value):
            if field in (body, "context") and isinstance(value, dict):
                column = column_name(path[1:] if field == body else path)
                is_found = column in row and holds(row[column], scalar)
            elif field in TIMES:
                is_found = any(is_moment(row[column], scalar) for column in TIMES[field])
            elif field in ids:
                is_found = scalar == "" or row[ids[field]] == as_id(scalar)
            elif field == "event" and call == "track":
                is_found = row["event_text"] == scalar
            else:
                is_found = call in ("page", "screen") and path[0] in ("name", "category")
                is_found = is_found and holds(row[column_name(path)], scalar)
            if not is_found and not is_rescued(rescued, pointer, scalar):
                yield f"{pointer}: {scalar!r} is not in {row}"


def leaves(pointer: str, path: tuple[str, ...], value: Any) -> Iterator[Any]:
    """Every scalar and every array, with its JSON Pointer and its path."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(pointed(pointer, name), (*path, name), inner)
    elif value is not None and value != []:
        yield pointer, path, value


def pointed(pointer: str, name: str) -> str:
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"


def holds(stored: Any, value: Any) -> bool:
    """Whether a column's value is the event's: as its own kind, as JSON text or as an instant."""
    if isinstance(value, str):
        return stored == value or is_moment(stored, value)
    if isinstance(stored, str):
        try:
            return alike(json.loads(stored), value)
        except ValueError:
            return False
    is_number = isinstance(value, int | float) and isinstance(stored, int | float)
    return is_number and isinstance(stored, bool) == isinstance(value, bool) and stored == value


def is_rescued(rescued: Row, pointer: str, value: Any) -> bool:
    """Whether `rescued` has the value, under its pointer or in an object further up."""
    for kept_at, kept in rescued.items():
        if kept_at == pointer and (alike(kept, value) or kept == as_id(value)):
            return True
        if pointer.startswith(f"{kept_at}/"):
            inner = kept
            for name in pointer[len(kept_at) + 1 :].split("/"):
                key = name.replace("~1", "/").replace("~0", "~")
                inner = inner.get(key) if isinstance(inner, dict) else None
            if alike(inner, value):
                return True
    return False


def as_id(value: Any) -> str | None:
    """How an id stands in its column: a number as its JSON text."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if isinstance(value, str) else str(value) if is_number else None


def is_moment(stored: Any, value: Any) -> bool:
    """Whether `stored` is exactly the instant that `value` states: a text in ISO 8601, a number of
    seconds, or of milliseconds if it is large.
    """
    if not isinstance(stored, datetime):
        return False
    since = stored - EPOCH
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    if isinstance(value, str):
        if (long := LONG_FRACTION.fullmatch(value)) and long[2].strip("0"):
            return False
        try:
            stated = datetime.fromisoformat(value)
        except ValueError:
            return False
        return stored == (stated if stated.tzinfo else stated.replace(tzinfo=UTC))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return microseconds == Decimal(repr(value)) * (1_000 if abs(value) >= 1e11 else 1_000_000)


def alike(found: Any, expected: Any) -> bool:
    """Whether two JSON values are the same, 1 and true and 1.0 being three of them."""
    return json.dumps(found, sort_keys=True) == json.dumps(expected, sort_keys=True)
