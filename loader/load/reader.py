"""Lines of NDJSON from files, compressed or not, and from standard input; memory stays bounded."""

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa
from isal import igzip
from isal.igzip_lib import IsalError

from loader.errors import ConfigError, StorageError

STDIN = "-"
MAX_LINE_BYTES = 16 * 1024 * 1024  # what is longer is cut there, and blocked as too large
_BLOCK_BYTES = 1024 * 1024
_GZIP, _ZSTD, _BOM = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xef\xbb\xbf"

Progress = Callable[[int, int | None], None]


def check_inputs(inputs: list[str]) -> int | None:
    """The bytes of all inputs, None with standard input; ConfigError if one is missing."""
    for name in inputs:
        path = Path(name)
        if name != STDIN and not path.is_file():
            found = "a folder" if path.is_dir() else "a pipe" if path.is_fifo() else "nothing"
            raise ConfigError(
                f"{name}: found {found}, wanted a file of NDJSON, .gz or .zst",
                fix="check the path; `-` reads standard input",
            )
    if STDIN in inputs:
        return None
    return sum(Path(name).stat().st_size for name in inputs)


def digest_of(name: str) -> str:
    """The SHA-256 of a file's bytes as they lie on the disk."""
    with Path(name).open("rb") as file:
        digest = sha256()
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def read_lines(name: str, on_bytes: Callable[[int], None]) -> Iterator[list[bytes]]:
    """The lines of one input, some hundred kilobytes at a time, without their line ends.

    `on_bytes` is told how many bytes of the input (compressed, if it is) were taken so far. Raises
    StorageError where the compression is damaged: what stood before has been yielded by then.
    """
    with _open(name) as (raw, plain):
        rest = b""
        is_first = True
        while True:
            block = _read(name, plain)
            on_bytes(raw.tell() if name != STDIN else 0)
            if not block:
                break
            if is_first:
                block, is_first = block.removeprefix(_BOM), False
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            if len(rest) > MAX_LINE_BYTES:
                lines.append(rest[:MAX_LINE_BYTES])
                rest = _skip_line(name, plain)
            yield lines
        if rest:
            yield [rest]


def _read(name: str, plain: IO[bytes]) -> bytes:
    try:
        return plain.read(_BLOCK_BYTES)
    except (EOFError, OSError, IsalError) as problem:  # type: ignore[misc]  # its stub is wrong
        raise StorageError(
            f"{name}: damaged or cut off: {problem}",
            fix="nothing of it was loaded; fetch the file again and repeat",
        ) from problem


def _skip_line(name: str, plain: IO[bytes]) -> bytes:
    """Read on to the end of an endless line; what follows it in the block read last."""
    while block := _read(name, plain):
        _, newline, rest = block.partition(b"\n")
        if newline:
            return rest
    return b""


@contextmanager
def _open(name: str) -> Iterator[tuple[Any, IO[bytes]]]:
    """The input's raw stream and, over it, its text; how it is compressed is seen, not named."""
    raw: Any = sys.stdin.buffer if name == STDIN else Path(name).open("rb")  # noqa: SIM115
    try:
        buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw)
        magic = buffered.peek(4)[:4]
        if magic.startswith(_GZIP):
            yield raw, cast("IO[bytes]", igzip.IGzipFile(fileobj=buffered))  # type: ignore[no-untyped-call]
        elif magic.startswith(_ZSTD):
            yield raw, pa.CompressedInputStream(pa.PythonFile(buffered, mode="r"), "zstd")
        else:
            yield raw, buffered
    finally:
        if name != STDIN:
            raw.close()
