"""Brings what is committed here to BigQuery: all of it, once, whatever happens on the way.

A load commits here first, as with DuckDB. Then a shipment takes all that waits: tables and columns
are made, each part goes by one job (or write stream), and one transaction makes it all count. Each
step is written down before it is taken, and taking it again changes nothing.
"""

import secrets
import time
from datetime import UTC, datetime
from typing import Final

from loader.config import Workspace
from loader.errors import ConfigError
from loader.locks import exclusive
from loader.warehouse.bigquery.carrier import Carrier, drop_shipped
from loader.warehouse.bigquery.commit import last_counted, read_loads
from loader.warehouse.bigquery.shipment import (
    Shipping,
    plan,
    read_shipping,
    waiting_files,
    write_shipping,
)
from loader.warehouse.bigquery.usage import metered
from loader.warehouse.manifest import read_manifest
from loader.warehouse.outbox import LOADS_EACH

PACE_SECONDS: Final = 60.0  # BigQuery takes 1,500 load jobs a table and day: one a minute
_MAX_JOBS_A_DAY: Final = 1_500


def ship(workspace: Workspace, *, is_paced: bool = False) -> list[str]:
    """Bring all that waits to BigQuery; what a person should know of it, as messages.

    With `is_paced` once a minute at most, unless it goes by the Storage Write API. Durable there
    when it returns. Raises what `refused` gives: nothing is lost then, the next call goes on.
    """
    with exclusive(workspace.home / "ship.lock", "shipment", wait=True):
        shipping = read_shipping(workspace)
        drop_shipped(workspace, shipping)
        if is_paced and not _is_due(workspace, shipping):
            return []
        return ship_waiting(workspace, shipping)


def ship_waiting(workspace: Workspace, shipping: Shipping) -> list[str]:
    """As `ship`, for who holds ship.lock, and not load.lock."""
    messages = _take_up(workspace, shipping)
    while shipment := shipping.shipment or plan(workspace, read_manifest(workspace), shipping):
        if told := _must_wait(workspace, shipping):
            return [*messages, told]
        shipping.shipment = shipment
        write_shipping(workspace, shipping)
        with metered(workspace, "load") as connection:
            messages += Carrier(workspace, connection, shipping, shipment).carry()
    return messages


def _take_up(workspace: Workspace, shipping: Shipping) -> list[str]:
    """Before the first shipment: whether BigQuery has loads of ours already; what to tell of it.

    It has if what is noted of them here was lost. Loads that began on DuckDB are numbered from 1,
    in every workspace: ConfigError if the dataset has such loads, since nobody can tell whose.
    """
    if shipping.shipped_load_id or shipping.shipment:
        return []
    manifest = read_manifest(workspace)
    ids = [row.load_id for row in read_loads(workspace, manifest, 0, manifest.next_load_id)]
    if not ids:
        return []
    is_numbered_from_1 = ids[0] < LOADS_EACH
    last = LOADS_EACH - 1 if is_numbered_from_1 else ids[-1]
    with metered(workspace, "load") as connection:
        found = last_counted(connection, ids[0], last)
        loads = connection.raw("loads")
    if not found:
        shipping.token = secrets.token_hex(4) if is_numbered_from_1 else ""
        return []
    if is_numbered_from_1:
        raise ConfigError(
            f"{loads} has loads numbered like those here, from 1: another workspace that began on "
            "DuckDB brought them, or .headwater/shipping.json, which says what is there, was lost",
            fix="name another warehouse.raw_dataset, or restore shipping.json from a backup",
        )
    shipping.shipped_load_id = found
    return [f"{loads} has the loads up to {found} already: only later ones are sent"]


def _is_due(workspace: Workspace, shipping: Shipping) -> bool:
    is_quick = workspace.config.warehouse.load_by == "storage_write"
    return is_quick or time.time() >= shipping.shipped_at + PACE_SECONDS


def _must_wait(workspace: Workspace, shipping: Shipping) -> str:
    """What to tell if BigQuery takes no more load jobs into some table today."""
    is_limited = workspace.config.warehouse.load_by == "jobs"
    if not is_limited or shipping.jobs_today(datetime.now(UTC)) < _MAX_JOBS_A_DAY:
        return ""
    rows = sum(file.rows for file in waiting_files(read_manifest(workspace), shipping))
    return (
        f"{rows:,} rows wait here: BigQuery takes {_MAX_JOBS_A_DAY:,} load jobs a table and day. "
        "They go with a later load; load less often, or set warehouse.load_by: storage_write"
    )
