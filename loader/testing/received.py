"""What a collector has received, read from its spool as soon as it was acknowledged."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from loader.event.envelope import Event, Shared, share
from loader.event.parsing import split
from loader.spool.line import Envelope, decode_line, is_whole
from loader.spool.writer import OPEN, SEALED

_SUFFIXES: Final = (OPEN, SEALED)


class SpoolReader:
    """Reads each event of a spool once, in the order in which they came."""

    def __init__(self, spool: Path) -> None:
        self._spool = spool
        self._read_bytes: dict[str, int] = {}  # of each segment, whatever it is called by now

    def read(self) -> list[Event]:
        """The events that came since the last call."""
        return [event for line in self._lines() for event in _events_of(decode_line(line))]

    def _lines(self) -> Iterator[bytes]:
        found = [path for path in self._spool.glob("*/*") if path.suffix in _SUFFIXES]
        for path in sorted(found, key=lambda path: path.stem):
            start = self._read_bytes.get(path.stem, 0)
            try:
                with path.open("rb") as segment:
                    segment.seek(start)
                    text = segment.read()
            except FileNotFoundError:  # just sealed: there under its new name at the next call
                return
            while (end := text.find(b"\n")) >= 0:
                line, text = text[:end], text[end + 1 :]
                if line and not is_whole(line):  # still being written
                    return
                start += end + 1
                self._read_bytes[path.stem] = start
                if line:
                    yield line


def _events_of(envelope: Envelope) -> Iterator[Event]:
    """The events of one request, each with what the request says for all of them."""
    batch = split(bytes(envelope.body)) if envelope.type is None else None
    texts = [envelope.body] if batch is None else batch.batch
    shared = Shared(type=envelope.type) if batch is None else batch.shared()
    for text in texts:
        event = json.loads(bytes(text))
        if isinstance(event, dict):
            event.pop("writeKey", None)
            share(event, shared, {})
            yield event
