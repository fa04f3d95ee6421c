"""Files that are there whole or not at all, whatever happens while they are written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loader.errors import StorageError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; when the block ends well, it takes `path`'s place.

    Durable on return: the file and the rename are on disk. When the block fails the temporary file
    is gone and `path` is as it was. Raises StorageError if the disk refuses.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    except OSError as problem:
        raise refused(path, problem) from problem
    finally:
        temporary.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Make what was written to the file, or renamed in the folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def refused(path: Path, problem: Exception) -> StorageError:
    """What to tell a person when the disk refused."""
    return StorageError(
        f"{path}: {getattr(problem, 'strerror', None) or problem}",
        fix="make room or give write access there, then repeat; nothing was half-written",
    )
