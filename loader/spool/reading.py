"""Sealed segments read as one stream of requests, in the order in which they arrived."""

import heapq
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from typing import NamedTuple

import msgspec

from loader.durable import refused
from loader.event.surrogates import mend
from loader.spool.line import Envelope, decode_line, is_whole
from loader.spool.segments import Segment, lines_of


class SpoolLine(NamedTuple):
    """One line of a segment; `envelope` is None where the line is damaged."""

    received_at: str  # of a damaged line: of the last good one before it
    worker: int
    segment: str
    offset: int
    text: bytes
    envelope: Envelope | None


def read_spool(segments: Sequence[Segment]) -> Iterator[SpoolLine]:
    """The lines of `segments` in the order of (receivedAt, worker, offset).

    `segments` are sorted by worker and name. A worker's own lines stay in their order even where
    its clock was set back. One segment a worker is open at a time, one line of each is held. Raises
    StorageError if the disk can't give them.
    """
    chains = [_chain(list(chain)) for _, chain in groupby(segments, key=lambda s: s.worker)]
    return heapq.merge(*chains, key=lambda line: line[:2])


def _chain(segments: Sequence[Segment]) -> Iterator[SpoolLine]:
    """One worker's lines."""
    received_at = ""
    for segment in segments:
        name = segment.name
        try:
            for offset, text in lines_of(segment.path):
                envelope = _envelope_of(text)
                if envelope is not None:
                    received_at = envelope.received_at
                yield SpoolLine(received_at, segment.worker, name, offset, text, envelope)
        except OSError as problem:
            raise refused(segment.path, problem) from problem


def _envelope_of(line: bytes) -> Envelope | None:
    if not is_whole(line):
        return None
    for text in (line, mend(line)):
        with suppress(msgspec.DecodeError, RecursionError):
            return decode_line(text)
    return None
