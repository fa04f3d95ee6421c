"""Raw tables as a load leaves them, written straight into a DuckDB file."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

CALL = {
    "id": "varchar",
    "anonymous_id": "varchar",
    "user_id": "varchar",
    "received_at": "timestamptz",
    "sent_at": "timestamptz",
    "original_timestamp": "timestamptz",
    "timestamp": "timestamptz",
    "context_traits_email": "varchar",
    "source_id": "varchar",
    "loaded_at": "timestamptz",
    "load_id": "bigint",
    "_seq": "bigint",
    "_rescued": "json",
    "_flags": "varchar",
    "_date": "date",
}
EVENT = {"event": "varchar", "event_text": "varchar"}
TABLES = {
    "tracks": EVENT,
    "pages": {"name": "varchar", "category": "varchar", "url": "varchar", "path": "varchar"},
    "screens": {"name": "varchar", "category": "varchar"},
    "identifies": {
        "email": "varchar",
        "plan": "varchar",
        "orders_count": "bigint",
        "_nulls": "varchar",
    },
    "groups": {
        "group_id": "varchar",
        "name": "varchar",
        "employees": "bigint",
        "_nulls": "varchar",
    },
    "aliases": {"previous_id": "varchar"},
    "order_completed": {
        **EVENT,
        "order_id": "varchar",
        "total": "double",
        "currency": "varchar",
        "products": "varchar",
    },
    "order_refunded": {**EVENT, "order_id": "varchar"},
}
START = datetime(2026, 3, 1, tzinfo=UTC)
Event = Mapping[str, Any]


def day(number: float) -> datetime:
    """The moment `number` days after the start of all tests."""
    return START + timedelta(days=number)


def create_tables(database: Path, tables: Iterable[str] = TABLES) -> None:
    """A DuckDB file with the raw tables `tables`, empty."""
    with duckdb.connect(database) as connection:
        connection.execute("create schema raw")
        connection.execute(
            "create table raw.loads (load_id bigint, committed_at timestamptz,"
            ' table_name varchar, dates date[], "rows" bigint,'
            " commit_order bigint, first_seq bigint)"
        )
        for table in tables:
            columns = {**CALL, **TABLES[table]}
            listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            connection.execute(f"create table raw.{table} ({listed})")


def load(database: Path, load_id: int, events: Iterable[Event]) -> None:
    """Add `events` as one load.

    An event is its table's columns and `table`; `_seq` counts them all in arrival order. What is
    left out of times and ids is filled in from `_seq`, a day between two events.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        row = {key: value for key, value in event.items() if key != "table"}
        row.setdefault("id", f"m{row['_seq']}")
        row.setdefault("timestamp", day(row["_seq"]))
        row.setdefault("received_at", row["timestamp"])
        row.setdefault("_date", row["received_at"].date())
        row |= {"load_id": load_id, "source_id": "web"}
        rows.setdefault(event["table"], []).append(row)
        if "order_id" in row:
            call = {name: row[name] for name in row if name in CALL}
            rows.setdefault("tracks", []).append({**call, "event": event["table"]})
    with duckdb.connect(database) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for table, found in rows.items():
            for row in found:
                names = ", ".join(f'"{name}"' for name in row)
                marks = ", ".join("?" for _ in row)
                values = [json.dumps(v) if isinstance(v, list) else v for v in row.values()]
                connection.execute(f"insert into raw.{table} ({names}) values ({marks})", values)
            dates = sorted({row["_date"] for row in found})
            connection.execute(
                "insert into raw.loads values (?, ?, ?, ?, ?, ?, ?)",
                [load_id, START, table, dates, len(found), load_id, found[0]["_seq"]],
            )
