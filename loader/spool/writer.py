"""The writing end of the spool: one worker's segments, each line durable before it counts.

Segments are written past the page cache where the file system allows it (O_DIRECT), which takes a
third of the CPU; so each write is filled up with line breaks to whole blocks, and readers pass
over empty lines.
"""

import errno
import os
import time
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Final

from loader.durable import sync
from loader.spool.buffer import LineBuffer

OPEN, SEALED = ".open", ".sealed"
_PROBE_BYTES: Final = 64 * 1024


class SpoolWriter:
    """Writes the segments of one folder of the spool, whose lock the caller holds.

    Not for several threads at once. Whatever a method raises, no line that was written before is
    lost, and the next call tries the disk anew.
    """

    def __init__(self, folder: Path, *, seal_bytes: int, seal_seconds: float) -> None:
        self._folder = folder
        self._seal_bytes = seal_bytes
        self._seal_seconds = seal_seconds
        self._descriptor = -1
        self._path = folder
        self._size = 0
        self._opened_at = 0.0
        names = [path.name[:20] for path in folder.glob(f"*{SEALED}")]
        self._newest = max((int(name) for name in names if name.isdecimal()), default=0)
        self._unsealed: dict[Path, int] = {}  # closed segments, and the bytes of them that count

    def write(self, lines: LineBuffer) -> None:
        """Append lines; they are durable when it returns.

        Raises OSError if the disk refuses: then none of them counts.
        """
        if self._descriptor < 0:
            self._open()
        end = self._size
        try:
            with lines.blocks() as blocks:
                rest = blocks
                while rest:
                    written = os.pwrite(self._descriptor, rest, end)
                    end += written
                    rest = rest[written:]
        except OSError:
            # What a failed write left on the disk nobody knows: nothing is appended to it any more.
            self._close()
            self._unsealed[self._path] = self._size
            raise
        self._size = end

    def seal_if_due(self) -> None:
        """Seal the segment if it is large or old enough, or has failed; OSError as in `seal`."""
        is_due = self._descriptor >= 0 and (
            self._size >= self._seal_bytes
            or time.monotonic() - self._opened_at >= self._seal_seconds
        )
        if is_due or self._unsealed:
            self.seal()

    def seal(self) -> None:
        """Hand over what was written: nothing more is appended to it, and loads may read it.

        Raises OSError if the disk refuses; the next call tries again.
        """
        if self._descriptor >= 0:
            self._close()
            self._unsealed[self._path] = self._size
        if not self._unsealed:
            return
        for path, size in list(self._unsealed.items()):
            with suppress(FileNotFoundError):  # somebody removed it: nothing can bring it back
                seal_segment(path, size)
            del self._unsealed[path]
        sync(self._folder)

    def probe(self) -> None:
        """Raise OSError while the disk would refuse a write, or to seal what was written."""
        if self._unsealed:
            self.seal()
        path = self._folder / ".probe"
        try:
            with path.open("wb") as file:
                file.write(bytes(_PROBE_BYTES))
                file.flush()
                os.fdatasync(file.fileno())
        finally:
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _open(self) -> None:
        if self._unsealed:
            self.seal()
        # Names go up also where the clock is set back: they are the order of what they hold.
        self._newest = max(time.time_ns(), self._newest + 1)
        path = self._folder / f"{self._newest:020}-{token_hex(2)}{OPEN}"
        descriptor = _create(path)
        try:
            sync(self._folder)  # a line is no more durable than the name of its file
        except OSError:
            os.close(descriptor)
            self._unsealed[path] = 0
            raise
        self._descriptor, self._path = descriptor, path
        self._size, self._opened_at = 0, time.monotonic()

    def _close(self) -> None:
        os.close(self._descriptor)
        self._descriptor = -1


def seal_segment(path: Path, size: int) -> None:
    """Seal a segment of which `size` bytes count; one without any is removed.

    The name is durable once its folder was synced. Raises OSError if the disk refuses.
    """
    if not size:
        path.unlink()
        return
    if path.stat().st_size != size:
        os.truncate(path, size)
    sync(path)
    path.rename(path.with_suffix(SEALED))


def _create(path: Path) -> int:
    """The new file's descriptor; a write to it returns once the data is on the disk."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_DSYNC
    try:
        return os.open(path, flags | os.O_DIRECT, 0o644)
    except OSError as problem:
        if problem.errno != errno.EINVAL:
            raise
    path.unlink(missing_ok=True)  # some file systems create it before they refuse
    return os.open(path, flags, 0o644)
