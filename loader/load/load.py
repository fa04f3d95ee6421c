"""One load, from its inputs to its commit.

All files of a load are written first, under names that no reader looks for; then one rename of the
manifest makes them count. Killed before it, a load has changed nothing and the next one sweeps up;
killed after it, nothing is missing but a marker or a view, which the next command puts right, and
segments of the spool that were loaded still lie there: the manifest knows them, the next load
removes them.
"""

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from loader.archive import remove_expired
from loader.config import Workspace
from loader.contracts import read_contracts
from loader.errors import ConfigError
from loader.load.alerting import await_news, tell_news
from loader.load.reader import Progress, check_inputs
from loader.load.report import LoadReport
from loader.load.transaction import Load
from loader.locks import exclusive
from loader.spool import Segment, delete_segments, seal_all, sealed_segments
from loader.warehouse import Manifest, number_loads, read_manifest, repair, sweep, tidy_retired


def load_files(
    workspace: Workspace,
    inputs: Sequence[str],
    *,
    source: str | None = None,
    progress: Progress | None = None,
    is_paced: bool = False,
) -> LoadReport:
    """Load NDJSON files (`-`: standard input) into the raw tables; all of them in one commit.

    Without inputs it loads the spool: all that a collector acknowledged before now. Durable when it
    returns. What was loaded whole before is passed over. Raises ConfigError for a missing input or
    a bad contract, Busy while another load runs, StorageError if the disk refuses or an input is
    damaged; then nothing has changed.

    With BigQuery for warehouse all that is loaded here is brought there then; if that fails, with
    an error of its own, the next load does. `is_paced` leaves it to a later one within a minute.
    """
    started = time.monotonic()
    if source and not inputs:
        raise ConfigError(
            "--source without FILE: what the collector took has its source already",
            fix="name the files, or leave --source out to load the spool",
        )
    total = check_inputs(list(inputs))
    contracts = read_contracts(workspace.schemas)
    with load_lock(workspace) as manifest:
        segments = [] if inputs else _take_over_spool(workspace, manifest)
        with Load(workspace, manifest, contracts, source) as load:
            if segments:
                load.take_spool(segments, progress)
            else:
                load.take(inputs, total, progress)
            load.commit()
        delete_segments(workspace.spool, (segment.key for segment in segments))
        remove_expired(workspace, datetime.now(UTC).date())
    conclude(workspace, load.report, started, is_paced=is_paced)
    return load.report


@contextmanager
def load_lock(workspace: Workspace) -> Iterator[Manifest]:
    """Be the one load of the workspace: the manifest as it stands, to be changed and committed.

    What a killed load left is swept away before, and what this one wrote if it fails.
    """
    with exclusive(workspace.home / "load.lock", "load") as was_killed:
        manifest = read_manifest(workspace)
        if was_killed:
            sweep(workspace, manifest)
        number_loads(workspace, manifest)
        tidy_retired(workspace, manifest, datetime.now(UTC))
        await_news(workspace, manifest)
        try:
            with _no_cycles_sought():
                yield manifest
        except BaseException:
            sweep(workspace, read_manifest(workspace))
            raise


def conclude(
    workspace: Workspace, report: LoadReport, started: float, *, is_paced: bool = False
) -> None:
    """What follows a commit: views that show it, alerts, its way to BigQuery if that is where.

    `started` is the load's start (monotonic), from which its time counts.
    """
    report.warnings += repair(workspace)
    report.warnings += tell_news(workspace, time.time())
    if workspace.config.warehouse.is_bigquery:
        from loader.warehouse.bigquery.ship import ship  # noqa: PLC0415 - imports take a second

        report.warnings += ship(workspace, is_paced=is_paced)
    report.seconds = round(time.monotonic() - started, 3)


def _take_over_spool(workspace: Workspace, manifest: Manifest) -> list[Segment]:
    """The segments to load, sealed; what an earlier load left behind of its own is removed."""
    seal_all(workspace.spool)
    delete_segments(workspace.spool, manifest.loaded_segments)
    return sealed_segments(workspace.spool)


@contextmanager
def _no_cycles_sought() -> Iterator[None]:
    """Events hold no reference cycles; looking for some costs a tenth of a load's time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
