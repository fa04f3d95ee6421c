"""Runs syncs one after the other: diff, send, record; an error of one doesn't stop the next."""

import asyncio
import logging
import re
import time
from collections.abc import Sequence

from duckdb import DuckDBPyConnection

from loader.config import SyncConfig, Workspace
from loader.delivery import Clock, Sender, SystemClock, deliver_all
from loader.destinations import Destination, open_destination
from loader.errors import ConfigError, LoaderError
from loader.sync.diff import read_batches, sample_changes, sample_invalid, stage
from loader.sync.marts import open_marts
from loader.sync.relation import unknown
from loader.sync.report import MAX_SAMPLES, SyncReport
from loader.sync.runlog import RunLog
from loader.sync.state import open_state

# So many rows may be under way or done without being recorded: after a run that was killed no more
# are offered again. A destination that has more in flight at a time records after every batch.
BATCH_ROWS = 1_000

_log = logging.getLogger(__name__)
_FILE_NAME = re.compile(r"\w[\w .-]*")  # a sync's name is that of its state file


def run_syncs(
    workspace: Workspace,
    names: Sequence[str] = (),
    *,
    dry_run: bool = False,
    clock: Clock | None = None,
) -> list[SyncReport]:
    """Run the named syncs, or all, in the order of headwater.yml; one report each.

    What ends one sync (Busy, AccessDenied, an unknown column …) stands in its report's `error`.
    Raises ConfigError, before anything is sent, for an unknown name or a wrong destination. With
    `dry_run` nothing is sent or written; the report's `diff` shows the first changes.
    """
    config = workspace.config
    for name in names:
        if name not in config.syncs:
            raise unknown(f"headwater.yml: syncs: there is no {name!r}", name, config.syncs)
    chosen = {name: sync for name, sync in config.syncs.items() if not names or name in names}
    for name in chosen:
        if not _FILE_NAME.fullmatch(name):
            raise ConfigError(
                f"headwater.yml: syncs: {name!r} can't be the name of a file, which a sync's is",
                fix="use letters, digits, `_` and `-`",
            )
    destinations = {
        sync.destination: open_destination(config.destinations[sync.destination], sync.destination)
        for sync in chosen.values()
    }
    clock = clock or SystemClock()
    return [
        _run(workspace, name, sync, destinations[sync.destination], dry_run=dry_run, clock=clock)
        for name, sync in chosen.items()
    ]


def _run(
    workspace: Workspace,
    name: str,
    sync: SyncConfig,
    destination: Destination,
    *,
    dry_run: bool,
    clock: Clock,
) -> SyncReport:
    report = SyncReport(name)
    started = time.monotonic()
    try:
        with open_state(workspace, name, read_only=dry_run) as connection:
            with open_marts(workspace, name, connection) as marts:
                stage(connection, marts, sync, report)
            report.refusals = sample_invalid(connection, MAX_SAMPLES)
            if dry_run:
                report.diff = sample_changes(connection, MAX_SAMPLES)
            else:
                _send(connection, destination, sync.destination, report, clock)
    except LoaderError as problem:
        report.error = problem
    report.seconds = time.monotonic() - started
    _log.info("sync.done sync=%s exit_code=%d seconds=%.1f", name, report.exit_code, report.seconds)
    return report


def _send(
    connection: DuckDBPyConnection,
    destination: Destination,
    alias: str,
    report: SyncReport,
    clock: Clock,
) -> None:
    """Deliver what is pending; everything that was answered is recorded, however this ends."""
    in_flight_rows = destination.max_rows * destination.max_concurrency
    log = RunLog(connection, report, clock, flush_rows=max(1, BATCH_ROWS - in_flight_rows))
    log.start()
    batches = read_batches(connection, report.name, destination.max_rows)

    async def deliver_pending() -> LoaderError | None:
        async with Sender(
            alias,
            max_concurrency=destination.max_concurrency,
            timeout_seconds=destination.timeout_seconds,
            clock=clock,
            secrets=destination.secrets(),
        ) as sender:
            await deliver_all(batches, destination.deliver, sender, log.add)
        return sender.stopped

    try:
        report.error = asyncio.run(deliver_pending())
    except LoaderError as problem:
        report.error = problem
    finally:
        log.flush()
        log.finish()
