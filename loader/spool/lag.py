"""How far loads are behind: what lies in the spool, since when, and who is writing there."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from loader.locks import holder_of
from loader.spool.line import decode_line, is_whole
from loader.spool.segments import LOCK, lines_of, open_segments, sealed_in, worker_folders


@dataclass(frozen=True)
class SpoolLag:
    """The spool at one moment; `workers` are the process ids of collectors that live."""

    bytes: int = 0
    sealed_segments: int = 0
    open_segments: int = 0
    oldest_received_at: datetime | None = None
    age_seconds: float | None = None
    workers: tuple[int, ...] = ()


def read_lag(spool: Path, loaded: Collection[str]) -> SpoolLag:
    """The lag of a spool; takes no lock for longer than a look. `loaded`: keys of what is done."""
    size = sealed_count = open_count = 0
    oldest: list[datetime] = []
    workers: list[int] = []
    for worker, folder in worker_folders(spool):
        waiting = [found.path for found in sealed_in(folder, worker) if found.key not in loaded]
        being_written = open_segments(folder)
        for path in (*waiting, *being_written):
            with suppress(FileNotFoundError):  # just sealed, or loaded
                size += path.stat().st_size
        sealed_count += len(waiting)
        open_count += len(being_written)
        received = (_first_received_at(path) for path in (*waiting, *being_written))
        if (first := next(filter(None, received), None)) is not None:
            oldest.append(first)
        if (holder := holder_of(folder / LOCK)) is not None:
            workers.append(holder)
    since = min(oldest, default=None)
    age = (datetime.now(UTC) - since).total_seconds() if since else None
    return SpoolLag(size, sealed_count, open_count, since, age, tuple(workers))


def _first_received_at(path: Path) -> datetime | None:
    """When the first good line of a segment was received; None if there is none."""
    with suppress(FileNotFoundError):
        for _, line in lines_of(path):
            with suppress(msgspec.DecodeError, ValueError):
                if is_whole(line):
                    return datetime.fromisoformat(decode_line(line).received_at)
    return None
