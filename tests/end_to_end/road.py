"""Drives the command as a person would: child processes, exit codes, what they print."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb

# Facts of a run and not of the data: two roads to the same tables differ in them.
OF_THE_RUN = {"load_id", "computed_at"}

MODELS_ONLY = ("--exclude-resource-types", "test", "unit_test")
GUIDE_CALLS = [
    {
        "type": "page",
        "messageId": "guide-1",
        "anonymousId": "anon-1",
        "name": "Listing",
        "category": "Product",
        "properties": {
            "url": "https://shop.example/listing",
            "path": "/listing",
            "title": "Listing",
            "referrer": "",
            "search": "",
            "category": "electronics",
            "locale": "ru-RU",
        },
        "timestamp": "2024-05-01T10:00:00.000Z",
    },
    {
        "type": "track",
        "messageId": "guide-2",
        "anonymousId": "anon-1",
        "event": "Order Completed",
        "properties": {
            "order_id": "ORDER-789",
            "affiliation": "Web Store",
            "total": 14500,
            "subtotal": 13500,
            "revenue": 14500,
            "shipping": 500,
            "tax": 500,
            "discount": 0,
            "currency": "RUB",
            "products": [
                {
                    "product_id": "SKU-001",
                    "sku": "SKU-001",
                    "name": "Professional Plan",
                    "price": 13500,
                    "quantity": 1,
                    "category": "subscription",
                }
            ],
        },
        "timestamp": "2024-05-01T10:01:00.000Z",
    },
    {
        "type": "identify",
        "messageId": "guide-3",
        "anonymousId": "anon-1",
        "userId": "usr_12345",
        "traits": {
            "email": "ivan@shop.example",
            "name": "Ivan Petrov",
            "plan": "pro",
            "company": {"id": "company_abc", "name": "Example Inc"},
            "createdAt": "2024-01-15T10:00:00Z",
            "projects_count": 5,
            "last_login": "2024-05-01T10:02:00.000Z",
        },
        "timestamp": "2024-05-01T10:02:00.000Z",
    },
    {
        "type": "group",
        "messageId": "guide-4",
        "userId": "usr_12345",
        "groupId": "company_abc",
        "traits": {
            "name": "Example Inc",
            "industry": "Technology",
            "employees": 25,
            "plan": "enterprise",
            "website": "https://example.com",
        },
        "timestamp": "2024-05-01T10:03:00.000Z",
    },
    {
        "type": "track",
        "messageId": "guide-5",
        "userId": "usr_12345",
        "event": "Subscription Started",
        "properties": {
            "plan": "pro",
            "revenue": 2990,
            "currency": "RUB",
            "billing_cycle": "monthly",
            "payment_method": "card",
            "mrr": 2990,
        },
        "context": {"ip": "203.0.113.9"},
        "timestamp": "2024-05-01T10:04:00.000Z",
    },
    {  # the PHP class's body: no type, a total that is a string
        "userId": "usr_12345",
        "event": "Order Completed",
        "properties": {"order_id": "ORDER-790", "total": "14500", "currency": "RUB"},
        "timestamp": "2024-05-01T10:05:00+00:00",
        "messageId": "php_662a1c",
        "context": {"library": {"name": "analytics-php"}},
    },
]


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "loader.cli", *map(str, arguments)]


def headwater(*arguments: str | Path, expect: int = 0) -> str:
    """Run the command to its end; its standard output. Any other exit code fails the test."""
    done = subprocess.run(command(*arguments), capture_output=True, text=True, check=False)
    assert done.returncode == expect, (
        f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    )
    return done.stdout


def kill_when(started: subprocess.Popen, is_time, limit_seconds: float = 60.0) -> None:
    """kill -9 the process and what it started once `is_time()`; fine if it ends before."""
    deadline = time.monotonic() + limit_seconds
    while started.poll() is None and not is_time():
        assert time.monotonic() < deadline, "the moment to kill at never came"
        time.sleep(0.002)
    if started.poll() is None:
        os.killpg(started.pid, signal.SIGKILL)
    started.communicate()


def start(*arguments: str | Path) -> subprocess.Popen:
    return subprocess.Popen(
        command(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def write_ndjson(path: Path, events: list[dict]) -> Path:
    path.write_text("".join(f"{json.dumps(event)}\n" for event in events), encoding="utf-8")
    return path


def marts(workspace: Path) -> dict[str, list[tuple]]:
    """Every mart's rows, in an order of their own, without what belongs to the run."""
    found = {}
    with duckdb.connect(workspace / ".headwater" / "warehouse.duckdb", read_only=True) as db:
        names = db.execute(
            "select table_name from information_schema.tables where table_schema = 'analytics' "
            "and not starts_with(table_name, 'int_') and not starts_with(table_name, 'stg_')"
        ).fetchall()
        for (name,) in names:
            described = db.execute(f'describe analytics."{name}"').fetchall()
            columns = [f'"{c[0]}"' for c in described if c[0] not in OF_THE_RUN]
            query = f'select {", ".join(columns)} from analytics."{name}" order by all'
            found[name] = db.execute(query).fetchall()
    return found
