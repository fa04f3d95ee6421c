"""One load, from its inputs to its commit.

All files of a load are written first, under names that no reader looks for; then one rename of the
manifest makes them count. Killed before it, a load has changed nothing and the next one sweeps up;
killed after it, nothing is missing but a marker or a view, which the next command puts right.
"""

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from loader.config import Workspace
from loader.contracts import read_contracts
from loader.load.reader import Progress, check_inputs
from loader.load.report import LoadReport
from loader.load.transaction import Load
from loader.warehouse import exclusive, read_manifest, repair, sweep


def load_files(
    workspace: Workspace,
    inputs: Sequence[str],
    *,
    source: str | None = None,
    progress: Progress | None = None,
) -> LoadReport:
    """Load NDJSON files (`-`: standard input) into the raw tables; all of them in one commit.

    Durable when it returns. A file that was loaded whole before is passed over. Raises ConfigError
    for a missing input or a bad contract, Busy while another load runs, StorageError if the disk
    refuses or an input is damaged; then nothing has changed.
    """
    started = time.monotonic()
    total = check_inputs(list(inputs))
    contracts = read_contracts(workspace.schemas)
    with exclusive(workspace.home / "load.lock", "load") as was_killed:
        manifest = read_manifest(workspace)
        if was_killed:
            sweep(workspace, manifest)
        load = Load(workspace, manifest, contracts, source)
        try:
            with _no_cycles_sought():
                load.take(inputs, total, progress)
            load.commit()
        except BaseException:
            sweep(workspace, read_manifest(workspace))
            raise
    load.report.warnings += repair(workspace)
    load.report.seconds = round(time.monotonic() - started, 3)
    return load.report


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
