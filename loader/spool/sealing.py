"""How segments become sealed: on a load's request, or by recovery where their writer was killed."""

import os
import time
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from typing import Final

from loader.durable import refused, sync
from loader.errors import Busy
from loader.locks import exclusive
from loader.spool.line import is_whole
from loader.spool.segments import LOCK, lines_of, open_segments, worker_folders
from loader.spool.writer import seal_segment

_WORKER: Final = "collector worker"  # who holds the lock of a folder
_REQUEST: Final = "seal"
_WAIT_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 0.01


def claim_folder(spool: Path, held: ExitStack) -> Path:
    """The first folder of the spool that no living worker has, locked for as long as `held`."""
    for number in count():
        folder = spool / str(number)
        with suppress(Busy):
            held.enter_context(exclusive(folder / LOCK, _WORKER))
            break
    return folder


def seal_all(spool: Path) -> None:
    """Have sealed what was acknowledged so far, as far as that can be done within two seconds.

    Segments of workers that were killed are recovered; workers that live are asked. A worker that
    doesn't answer in time keeps its segment for the next load. StorageError if the disk refuses.
    """
    awaited = _recover_orphans(spool)
    if not awaited:
        return
    _request_seal(spool)
    deadline = time.monotonic() + _WAIT_SECONDS
    while any(path.exists() for path in awaited) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
        _recover_orphans(spool)  # of a worker that died meanwhile


def seal_requested_at(spool: Path) -> int:
    """When a load asked last to have all segments sealed, as a number that differs each time."""
    try:
        return (spool / _REQUEST).stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def recover(folder: Path) -> None:
    """Seal the segments that a killed worker left open in `folder`, whose lock the caller holds.

    Each is cut behind its last line whose CRC holds, for what follows was never acknowledged; one
    without such a line is removed. Durable when it returns; StorageError if the disk refuses.
    """
    segments = open_segments(folder)
    for path in segments:
        try:
            seal_segment(path, _whole_bytes(path))
        except OSError as problem:
            raise refused(path, problem) from problem
    if segments:
        sync(folder)


def _whole_bytes(path: Path) -> int:
    """Where the last line of a segment ends whose CRC holds, its line end included."""
    size, end = path.stat().st_size, 0
    for offset, line in lines_of(path):
        behind = offset + len(line) + 1
        if behind <= size and is_whole(line):
            end = behind
    return end


def _recover_orphans(spool: Path) -> list[Path]:
    """Recover where no worker lives; the open segments of those that live."""
    living = []
    for _, folder in worker_folders(spool):
        if segments := open_segments(folder):
            try:
                with exclusive(folder / LOCK, _WORKER):
                    recover(folder)
            except Busy:
                living += segments
    return living


def _request_seal(spool: Path) -> None:
    path = spool / _REQUEST
    now = time.time_ns()  # a plain touch would give two requests within a tick the same time
    try:
        path.touch()
        os.utime(path, ns=(now, now))
    except OSError as problem:
        raise refused(path, problem) from problem
