"""Locks between processes: the kernel drops them when their holder dies, however it dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from loader.errors import Busy

_BRIEFLY: Final = "briefly"  # who says so in the lock file is waited for, whoever comes
_UNNAMED_SECONDS: Final = 1.0  # how long a holder may take to say who it is


@contextmanager
def exclusive(
    path: Path, what: str, *, wait: bool = False, is_brief: bool = False
) -> Iterator[bool]:
    """Hold the lock file `path` while `what` (as in "load") is done.

    Raises Busy at once if another process holds it, unless `wait` is set or that process said with
    `is_brief` that it lets go within a second. Yields whether its last holder was killed or failed:
    its process id stands in the file until it is done.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if not wait and (holder := _held_at_length_by(descriptor)):
            raise Busy(
                f"{path.parent.parent}: another {what} is at work here (process {holder})",
                fix=f"wait until it is done, then repeat this {what}",
            )
        if wait:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        was_killed = os.fstat(descriptor).st_size > 0
        os.ftruncate(descriptor, 0)
        note = f"{os.getpid()} {_BRIEFLY}" if is_brief else f"{os.getpid()}"
        os.pwrite(descriptor, f"{note}\n".encode(), 0)
        yield was_killed
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _held_at_length_by(descriptor: int) -> str:
    """Take the lock, and give ""; or tell which process holds it for longer than a moment."""
    named_by = time.monotonic() + _UNNAMED_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode().split()
            if _BRIEFLY in holder:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                return ""
            if holder or time.monotonic() > named_by:
                return holder[0] if holder else "unknown"
            time.sleep(0.001)  # it has just begun, or is done, or somebody only looks
        else:
            return ""


def holder_of(path: Path) -> int | None:
    """The id of the process that holds the lock file `path` now, or None."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(descriptor, 32, 0).decode().split()
        return int(text[0]) if text and text[0].isdigit() else 0
    finally:
        os.close(descriptor)
    return None
