"""Locks between processes: the kernel drops them when their holder dies, however it dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loader.errors import Busy


@contextmanager
def exclusive(path: Path, what: str, *, wait: bool = False) -> Iterator[bool]:
    """Hold the lock file `path` while `what` (as in "load") is done.

    Raises Busy at once if another process holds it, unless `wait` is set. Yields whether its last
    holder was killed or failed: its process id stands in the file until it is done.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as held:
            holder = os.pread(descriptor, 32, 0).decode().strip() or "unknown"
            raise Busy(
                f"{path.parent.parent}: another {what} is at work here (process {holder})",
                fix=f"wait until it is done, then repeat this {what}",
            ) from held
        was_killed = os.fstat(descriptor).st_size > 0
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield was_killed
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def holder_of(path: Path) -> int | None:
    """The id of the process that holds the lock file `path` now, or None."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(descriptor, 32, 0).decode().strip()
        return int(text) if text.isdigit() else 0
    finally:
        os.close(descriptor)
    return None
