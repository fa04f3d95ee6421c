"""JSON as it is found in files and in the spool: events, batches, and what is neither."""

from typing import Any, Final

import msgspec

from loader.event.envelope import MAX_EVENT_BYTES, Rejection, Shared
from loader.event.surrogates import mend

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_MAX_NESTING: Final = 200  # what could be read nested deeper could perhaps not be written again
_decode = msgspec.json.Decoder().decode


class Batch(msgspec.Struct, rename="camel"):
    """`{"batch": […]}`: its events as their own text, and what it says for all of them."""

    batch: list[msgspec.Raw]
    message_id: Any = None
    write_key: Any = None
    sent_at: Any = None
    received_at: Any = None
    context: Any = None
    integrations: Any = None

    def shared(self, received_at: Any = None) -> Shared:
        """What it says for all of its events."""
        return Shared(
            sent_at=self.sent_at,
            received_at=received_at,
            context=self.context,
            integrations=self.integrations,
        )


_decode_batch = msgspec.json.Decoder(Batch).decode


def split(line: bytes) -> Batch | None:
    """The batch in a line, or None where none can be read: then the line is taken for an event."""
    try:
        return _decode_batch(line)
    except msgspec.ValidationError:
        return None
    except NOT_JSON:
        mended = mend(line)
    try:
        return _decode_batch(mended)
    except NOT_JSON:
        return None


def parse(text: bytes) -> tuple[Any, bytes]:
    """The JSON value of a text, and the text as it could be read: lone surrogates are mended.

    RecursionError if it is nested deeper than any event is.
    """
    try:
        found = _decode(text)
    except msgspec.DecodeError:
        mended = mend(text)
        if mended == text:
            raise
        text = mended
        found = _decode(text)
    if text.count(b"{") + text.count(b"[") > _MAX_NESTING:
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
    return found, text


def why_not_json(line: bytes, problem: Exception) -> Rejection:
    """What to tell of a text that `parse` refused with one of NOT_JSON."""
    if isinstance(problem, RecursionError):
        why = "nested too deep"
    elif isinstance(problem, UnicodeDecodeError):
        why = f"not UTF-8 at byte {problem.start}"
    else:
        why = f"not valid JSON: {problem}"
    if len(line) > MAX_EVENT_BYTES:
        return Rejection("too_large", "$", f"{len(line)} bytes, and {why}")
    return Rejection("malformed", "$", why)
