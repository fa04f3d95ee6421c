"""The segments of a spool as files: spool/<worker>/<name>.open while written, then .sealed.

A name is the time of opening in twenty digits of nanoseconds and four random hex digits: a worker's
segments sort by time, and no name is used twice.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loader.durable import refused, sync
from loader.spool.writer import OPEN, SEALED

LOCK: Final = "lock"  # in a worker's folder; held by the worker for as long as it lives
_BLOCK_BYTES: Final = 1024 * 1024
_NUMBER: Final = re.compile(r"[0-9]{1,6}")
_LINE_ENDS: Final = re.compile(rb"\n+")


@dataclass(frozen=True, slots=True)
class Segment:
    """One sealed file of one worker; nothing is appended to it any more."""

    worker: int
    path: Path

    @property
    def name(self) -> str:
        """The file's name without its suffix, which is the same for as long as it exists."""
        return self.path.stem

    @property
    def key(self) -> str:
        """By which the manifest knows it."""
        return f"{self.worker}/{self.name}"


def worker_folders(spool: Path) -> list[tuple[int, Path]]:
    """The folders that workers had so far, by number; none before the first collector."""
    try:
        found = [
            (int(path.name), path)
            for path in spool.iterdir()
            if _NUMBER.fullmatch(path.name) and path.is_dir()
        ]
    except FileNotFoundError:
        return []
    return sorted(found)


def sealed_segments(spool: Path) -> list[Segment]:
    """The sealed segments, by worker, the oldest first."""
    folders = worker_folders(spool)
    return [segment for worker, folder in folders for segment in sealed_in(folder, worker)]


def sealed_in(folder: Path, worker: int) -> list[Segment]:
    """The sealed segments in one worker's folder, the oldest first."""
    found = sorted(path for path in folder.glob(f"*{SEALED}") if path.is_file())
    return [Segment(worker, path) for path in found]


def open_segments(folder: Path) -> list[Path]:
    """The segments in a worker's folder that are being written, or that a killed worker left."""
    return sorted(path for path in folder.glob(f"*{OPEN}") if path.is_file())


def spool_size(spool: Path) -> tuple[int, int]:
    """(bytes, files) of all segments, sealed or not."""
    size = count = 0
    for _, folder in worker_folders(spool):
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith((OPEN, SEALED)):
                    with suppress(FileNotFoundError):  # just renamed, or loaded
                        size += entry.stat().st_size
                        count += 1
    return size, count


def delete_segments(spool: Path, keys: Iterable[str]) -> None:
    """Remove segments that were loaded, those that are still there; durable when it returns."""
    folders = set()
    for key in keys:
        path = spool / f"{key}{SEALED}"
        try:
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError as problem:
            raise refused(path, problem) from problem
        folders.add(path.parent)
    for folder in folders:
        sync(folder)


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """(offset, line without its end) of a segment; empty lines, which fill up blocks, are left out.

    Raises OSError if the disk can't give them.
    """
    with path.open("rb", buffering=0) as file:
        rest, offset = b"", 0
        while block := file.read(_BLOCK_BYTES):
            text = rest + block
            start = 0
            while (end := text.find(b"\n", start)) >= 0:
                if end > start:
                    yield offset + start, text[start:end]
                ends = _LINE_ENDS.match(text, end)
                start = ends.end() if ends else end + 1
            rest = text[start:]
            offset += start
    if rest:
        yield offset, rest
