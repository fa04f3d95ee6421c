"""A collector with its workspace, proxies before it, and what came of it in the raw tables."""

import json
import ssl
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from loader.config import Workspace
from loader.event.naming import CALL_TABLES, column_name, table_name
from loader.load import load_files
from loader.warehouse import connect, quote
from tests.collector.child import Collector
from tests.sdks.proxy import Loop, Proxy

Row = dict[str, Any]
# What is no property, trait or context; `received_at` and those after it are the warehouse's own.
ENVELOPE = {
    "id": "messageId",
    "anonymous_id": "anonymousId",
    "user_id": "userId",
    "event_text": "event",
    "group_id": "groupId",
    "previous_id": "previousId",
}
OURS = {
    *("event", "received_at", "sent_at", "original_timestamp", "timestamp"),
    *("source_id", "loaded_at", "load_id", "_seq", "_date"),
}


class Stand:
    """What the tests of a module share; each reads the rows of its own proxies only."""

    def __init__(self, workspace: Workspace, collector: Collector, loop: Loop) -> None:
        self.workspace = workspace
        self.url = collector.url
        self._loop = loop
        self._proxies: list[Proxy] = []

    def proxy(
        self, faults: Iterable[str | None] = (), *, tls: ssl.SSLContext | None = None
    ) -> Proxy:
        made = Proxy(self._loop, self.url, faults, tls=tls)
        self._proxies.append(made)
        return made

    def close(self) -> None:
        for proxy in self._proxies:
            proxy.close()

    def load(self) -> dict[str, list[tuple[str, Row]]]:
        """Loads the spool; all that ever came: messageId -> table and row, once for each row."""
        load_files(self.workspace, [])
        found = defaultdict(list)
        with connect(self.workspace) as connection:
            tables = connection.execute(
                "select table_name from information_schema.tables where table_schema = 'raw'"
            ).fetchall()
            for (table,) in tables:
                if table in ("tracks", "loads", "violations", "schema_changes"):
                    continue
                cursor = connection.execute(f"select * from raw.{quote(table)}")
                names = [column[0] for column in cursor.description]
                for values in cursor.fetchall():
                    row = {
                        name: value
                        for name, value in zip(names, values, strict=True)
                        if value is not None
                    }
                    found[row["id"]].append((table, row))
        return found


def assert_stored(stand: Stand, *proxies: Proxy) -> dict[str, Row]:
    """Every event that was acknowledged to a client lies in its raw table, once, as it was sent.

    Gives the rows of these events by messageId.
    """
    stored = stand.load()
    sent = {id_: p.forwarded[id_] for p in proxies for id_ in p.acknowledged_ids}
    tables = {id_: [table for table, _ in stored[id_]] for id_ in sent}
    astray = {id_: tables[id_] for id_ in sent if tables[id_] != [table_of(sent[id_])]}
    assert not astray, f"not once, in its table: {astray}"
    rows = {id_: stored[id_][0][1] for id_ in sent}
    differing = {id_: found for id_ in sent if (found := differences(sent[id_], rows[id_]))}
    assert not differing, f"not as sent: {differing}"
    return rows


def table_of(event: dict[str, Any]) -> str:
    return table_name(event["event"]) if event["type"] == "track" else CALL_TABLES[event["type"]]


def columns_of(event: dict[str, Any]) -> dict[str, Any]:
    """What an event's raw row must hold, times aside: column -> value as sent."""
    columns = {column: event.get(name) for column, name in ENVELOPE.items()}
    columns |= flat(event.get("context"), "context")
    has_traits = event["type"] in ("identify", "group")
    body = event.get("traits" if has_traits else "properties")
    columns |= flat(body)
    if has_traits and (nulls := nulls_of(body)):
        columns["_nulls"] = json.dumps(sorted(nulls))
    if event["type"] in ("page", "screen"):
        columns |= {name: event[name] for name in ("name", "category") if event.get(name)}
    return {column: value for column, value in columns.items() if value is not None}


def differences(event: dict[str, Any], row: Row) -> dict[str, tuple[Any, Any]]:
    """Where a raw row is not what was sent: column -> (sent, stored)."""
    wanted = columns_of(event)
    is_filled_in = "context_ip" not in wanted  # by the collector, for browsers
    found = {
        column: value
        for column, value in row.items()
        if column not in OURS and not (is_filled_in and column == "context_ip")
    }
    return {
        column: (wanted.get(column), found.get(column))
        for column in sorted(wanted.keys() | found.keys())
        if not is_same(wanted.get(column), found.get(column))
    } | time_differences(event, row)


def time_differences(event: dict[str, Any], row: Row) -> dict[str, tuple[Any, Any]]:
    """The same for the two times that an SDK gives."""
    return {
        column: (event[name], row.get(column))
        for column, name in (("original_timestamp", "timestamp"), ("sent_at", "sentAt"))
        if event.get(name) and not is_same(event[name], row.get(column))
    }


def flat(value: Any, *path: str) -> dict[str, Any]:
    """Objects taken apart as columns are named; PHP sends an empty object as []."""
    columns: dict[str, Any] = {}
    if value == [] and path in ((), ("context",)):
        return columns
    for name, part in (value or {}).items():
        if isinstance(part, dict):
            columns |= flat(part, *path, name)
        elif part is not None:
            columns[column_name((*path, name))] = part
    return columns


def nulls_of(value: Any, *path: str) -> list[str]:
    """The columns of what was sent as null."""
    found: list[str] = []
    for name, part in (value or {}).items():
        if isinstance(part, dict):
            found += nulls_of(part, *path, name)
        elif part is None:
            found.append(column_name((*path, name)))
    return found


def is_same(sent: Any, stored: Any) -> bool:
    """Whether a column holds what was sent: times as moments, arrays as their JSON."""
    if isinstance(stored, datetime) and isinstance(sent, str):
        return datetime.fromisoformat(sent).astimezone(UTC) == stored
    if isinstance(sent, list) and isinstance(stored, str):
        return bool(sent == json.loads(stored))
    return isinstance(sent, bool) is isinstance(stored, bool) and bool(sent == stored)
