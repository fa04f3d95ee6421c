"""Lines become events: parsed, split out of batches, normalised, each with id and source."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec

from loader.config import Config
from loader.event.envelope import (
    MAX_EVENT_BYTES,
    Event,
    Rejection,
    is_batch,
    normalise,
    split_batch,
)
from loader.event.values import json_text

DEFAULT_SOURCE = "file"
_MAX_NESTING = 200  # what could be read nested deeper could perhaps not be written again
_decode = msgspec.json.Decoder().decode
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@dataclass(slots=True)
class Candidate:
    """One event as it came: to be taken, unless `rejection` says why it can't be one."""

    message_id: str
    source: str
    event: Event = field(default_factory=dict)  # {} where no event stood
    rejection: Rejection | None = None
    text: bytes = b""  # what stood there, where that is no event
    rescued: dict[str, Any] = field(default_factory=dict)
    unknown_key: str = ""  # a write key that no source has


class Intake:
    """Turns lines into candidates; knows which write key belongs to which source."""

    def __init__(self, config: Config, source: str | None) -> None:
        self._source = source
        keys = {
            name: found.write_key.reveal_or_none()
            for name, found in config.sources.items()
            if found.write_key
        }
        self._source_by_key = {key: name for name, key in keys.items() if key}
        # While a key is not in the environment, nobody can say of another that it is unknown.
        self._all_keys_known = bool(keys) and None not in keys.values()

    def read(self, lines: Iterable[bytes]) -> Iterator[Candidate]:
        """The candidates of non-empty lines, in order; a line is an event or `{"batch": […]}`."""
        for line in lines:
            try:
                found = _parse(line)
            except _NOT_JSON as problem:
                yield self._reject(line, _why_not_json(line, problem))
                continue
            if type(found) is dict and is_batch(found):
                texts = [json_text(event).encode() for event in found["batch"]]
                for place, (event, text) in enumerate(zip(split_batch(found), texts, strict=True)):
                    # As it was before it shared the batch's times: those are new at each attempt.
                    yield self._candidate(event, text, f"-{place}")
            else:
                yield self._candidate(found, line)

    def _candidate(self, found: object, text: bytes, place: str = "") -> Candidate:
        """`text` is the event as it came; `place` tells it from its twins in a batch."""
        if type(found) is not dict:
            kind = "an array" if isinstance(found, list) else type(found).__name__
            why = Rejection("malformed", "$", f"found {kind}; an event is a JSON object")
            return self._reject(text, why)
        key = found.pop("writeKey", None)
        found.pop("_metadata", None)
        rescued: dict[str, Any] = {}
        rejection = normalise(found, rescued)
        if len(text) > MAX_EVENT_BYTES:
            rejection = Rejection(
                "too_large", "$", f"{len(text)} bytes; an event may have {MAX_EVENT_BYTES}"
            )
        message_id = found.get("messageId")
        if not isinstance(message_id, str) or not message_id:
            if isinstance(message_id, int | float) and not isinstance(message_id, bool):
                message_id = str(message_id)
            else:
                if message_id:
                    rescued["/messageId"] = message_id
                message_id = f"{_id_of(text)}{place}"
            found["messageId"] = message_id
        source, unknown_key = self._source_of(key)
        return Candidate(message_id, source, found, rejection, b"", rescued, unknown_key)

    def _source_of(self, key: object) -> tuple[str, str]:
        if self._source:
            return self._source, ""
        if not isinstance(key, str) or not key:
            return DEFAULT_SOURCE, ""
        source = self._source_by_key.get(key)
        is_unknown = source is None and self._all_keys_known
        return source or DEFAULT_SOURCE, key if is_unknown else ""

    def _reject(self, text: bytes, rejection: Rejection) -> Candidate:
        source = self._source or DEFAULT_SOURCE
        return Candidate(_id_of(text), source, {}, rejection, text)


def _parse(line: bytes) -> Any:
    """The JSON value of a line; RecursionError if it is nested deeper than any event is."""
    found = _decode(line)
    if line.count(b"{") + line.count(b"[") > _MAX_NESTING:
        level = [found]
        for _ in range(_MAX_NESTING):
            level = [
                inner
                for value in level
                if isinstance(value, dict | list)
                for inner in (value.values() if isinstance(value, dict) else value)
            ]
        if level:
            raise RecursionError
    return found


def _id_of(text: bytes) -> str:
    return f"file-{sha256(text.rstrip()).hexdigest()}"  # whatever the file's line ends


def _why_not_json(line: bytes, problem: Exception) -> Rejection:
    if isinstance(problem, RecursionError):
        why = "nested too deep"
    elif isinstance(problem, UnicodeDecodeError):
        why = f"not UTF-8 at byte {problem.start}"
    elif b"\\ud" in line.lower():
        why = f"not valid JSON: {problem} (half of a surrogate pair, \\ud8xx?)"
    else:
        why = f"not valid JSON: {problem}"
    if len(line) > MAX_EVENT_BYTES:
        return Rejection("too_large", "$", f"{len(line)} bytes, and {why}")
    return Rejection("malformed", "$", why)
