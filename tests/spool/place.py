"""Spools as a collector leaves them."""

import json
from pathlib import Path
from typing import Any

from loader.spool import encode_line
from loader.spool.segments import lines_of

BLOCK = 4096


def line(body: Any = None, *, at: str = "2026-11-20T10:00:00.000000Z", **head: Any) -> bytes:
    """A line of the spool; `body` is an event, a batch, or JSON as bytes."""
    text = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    return b"".join(encode_line({"receivedAt": at, "source": "web", **head}, text))


def padded(*lines: bytes) -> bytes:
    """Lines as one write puts them there: filled up to whole blocks."""
    text = b"".join(lines)
    return text + b"\n" * (-len(text) % BLOCK)


def put(
    spool: Path, text: bytes, *, worker: int = 0, number: int = 1, suffix: str = ".sealed"
) -> Path:
    """A segment that holds `text`."""
    folder = spool / str(worker)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{number:020}-ab12{suffix}"
    path.write_bytes(text)
    return path


def texts_in(path: Path) -> list[bytes]:
    """A segment's lines."""
    return [text for _, text in lines_of(path)]
