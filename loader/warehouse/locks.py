"""Whether a DuckDB file is being written by somebody else."""

import fcntl
from pathlib import Path


def is_open_for_writing(database: Path) -> bool:
    """Whether a process has the DuckDB file open read-write (DuckDB holds a POSIX write lock)."""
    try:
        with database.open("rb") as file:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return True
    except FileNotFoundError:
        return False
    return False
