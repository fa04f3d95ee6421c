"""What the generator planted, held against what a load found: its time counts if all is there."""

import json
import sys
from pathlib import Path

import duckdb

from loader.contracts import Contracts, read_contracts

Manifest = dict[str, int]

_STRAY_NAMES = ("order completed", "Order-Completed")  # planted as unplanned, though a contract's


def check(what: str, found: int, wanted: int | range) -> None:
    """Stop if a contender failed, or lost or invented events: its time would mean nothing."""
    if found not in (wanted if isinstance(wanted, range) else (wanted,)):
        sys.exit(f"{what}: found {found}, wanted {wanted}")


def check_violations(
    connection: duckdb.DuckDBPyConnection, planted: Manifest, schemas: Path
) -> None:
    """Every planted violation, torn line and event without ids, by kind and exactly."""
    rows = connection.execute(
        "select rule, path, payload from raw.violations"
        " where event is null or not list_contains(?, event)",
        [list(_STRAY_NAMES)],
    ).fetchall()
    found: dict[str, int] = {}
    contracts = Contracts(read_contracts(schemas))
    for rule, path, payload in rows:
        for kind in _kinds(rule, path, payload, contracts):
            found[kind] = found.get(kind, 0) + 1
    kinds = [kind for kind in planted if kind.startswith("violation_")]
    for kind in (*kinds, "malformed", "no_identity"):
        check(kind, found.get(kind, 0), planted.get(kind, 0))


def _kinds(rule: str, path: str, payload: str, contracts: Contracts) -> list[str]:
    """What was planted in an event that was kept back for `rule`.

    Without ids it is not held to its contract; what it would have broken was planted all the same.
    """
    if rule == "no_identity":
        event = json.loads(payload)
        if event["type"] != "track" or event["event"] in _STRAY_NAMES:
            return [rule]
        broken = contracts.violations({**event, "userId": "somebody"})
        return [rule, *(_kind(found.rule, found.path) for found in broken)]
    return [rule if rule == "malformed" else _kind(rule, path)]


def _kind(rule: str, path: str) -> str:
    return "violation_items" if "[" in path else f"violation_{rule}"
