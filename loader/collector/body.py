"""A request's body: decompressed within bounds, and JSON for sure before it is spooled."""

from dataclasses import dataclass

import msgspec
from isal import isal_zlib
from msgspec import UNSET, Raw, UnsetType

from loader.collector.http import Answer, Refused, refusal
from loader.event.surrogates import mend

MAX_BODY_BYTES = 5 * 1024 * 1024  # decompressed: ten times what Segment takes, as SDKs do send more
_BOM = b"\xef\xbb\xbf"
_MAX_VALUES = 500_000  # of a body, by its commas: each may become an object in memory
_MAX_GZIP_MEMBERS = 16
_MAX_KEYED = 1_000  # events whose own write keys are looked at; of others a load does
_GZIP_WINDOW = 31  # zlib's way to ask for gzip's header
_NO_ENCODING = frozenset({b"", b"identity"})
_GZIP_NAMES = frozenset({b"gzip", b"x-gzip"})


class _Event(msgspec.Struct):
    """An object, whatever is in it."""


class _Keyed(msgspec.Struct, rename="camel"):
    """An object with or without a write key."""

    write_key: Raw | UnsetType = UNSET


class _Shape(_Keyed):
    """What is looked at before a body is spooled; the rest is only known to be JSON."""

    batch: list[_Event] | UnsetType = UNSET


class _LooseShape(_Keyed):
    """The same, with a batch of anything: of what is no object the load makes a violation."""

    batch: list[Raw] | UnsetType = UNSET


_decode_shape = msgspec.json.Decoder(_Shape).decode
_decode_loosely = msgspec.json.Decoder(_LooseShape).decode
_decode_keyed = msgspec.json.Decoder(_Keyed).decode
_decode_text = msgspec.json.Decoder(str).decode


@dataclass(slots=True)
class Body:
    """A JSON object without line breaks; `events` counts those of its batch, if it is one."""

    text: bytes
    events: int | None
    write_key: str

    def keys_of_events(self) -> list[str]:
        """The write key that each of the batch's first events names, "" where there is none."""
        if b"writeKey" not in self.text:
            return []
        batch = _decode_loosely(self.text).batch
        return [] if batch is UNSET else [_key_of(event) for event in batch[:_MAX_KEYED]]


def read_body(raw: bytes, encoding: bytes) -> Body:
    """The body of a request; raises Refused with the answer that says what is wrong with it."""
    text = raw if encoding in _NO_ENCODING else _decompress(raw, encoding)
    if len(text) > _MAX_VALUES and text.count(b",") > _MAX_VALUES:
        raise Refused(refusal(413, "too_large", f"the body holds over {_MAX_VALUES} values"))
    shape: _Shape | _LooseShape
    try:
        if not text.isascii():
            text.decode()  # msgspec doesn't look into strings that nobody asked for
        shape = _decode_shape(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        text = mend(text.removeprefix(_BOM))
        shape = _read_again(text)
    if b"\n" in text:
        text = text.replace(b"\n", b" ")  # in JSON a line break stands between things only
    events = None if shape.batch is UNSET else len(shape.batch)
    return Body(text, events, _key_in(shape))


def _read_again(text: bytes) -> _LooseShape:
    """What is unusual, or wrong: Refused says how."""
    try:
        text.decode()
        return _decode_loosely(text)
    except msgspec.ValidationError as problem:
        found = "`batch` is not an array" if "$.batch" in str(problem) else "not a JSON object"
        raise Refused(refusal(400, "invalid_body", f"{found}: {problem}")) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as problem:
        raise _malformed(problem) from None


def _malformed(problem: Exception) -> Refused:
    if isinstance(problem, RecursionError):
        why = "nested too deep"
    elif isinstance(problem, UnicodeDecodeError):
        why = f"not UTF-8 at byte {problem.start}"
    else:
        why = str(problem)
    return Refused(refusal(400, "invalid_json", f"the body is not valid JSON: {why}"))


def _decompress(raw: bytes, encoding: bytes) -> bytes:
    """What gzip holds; never more than MAX_BODY_BYTES of it come to be."""
    if encoding.lower() not in _GZIP_NAMES:
        message = f"Content-Encoding {encoding.decode('latin-1')!r}: wanted gzip, or none"
        raise Refused(refusal(400, "unsupported_encoding", message))
    if not raw:
        return raw
    parts: list[bytes] = []
    room = MAX_BODY_BYTES
    for _ in range(_MAX_GZIP_MEMBERS):
        stream = isal_zlib.decompressobj(wbits=_GZIP_WINDOW)
        try:
            part = stream.decompress(raw, room + 1)
        except isal_zlib.error as problem:  # type: ignore[misc]  # its stub is wrong
            raise Refused(refusal(400, "invalid_gzip", f"the body: {problem}")) from None
        room -= len(part)
        if room < 0:
            raise Refused(too_large())
        if not stream.eof:
            raise Refused(refusal(400, "invalid_gzip", "the body's gzip stream is cut off"))
        parts.append(part)
        raw = stream.unused_data  # a gzip file may have several members
        if not raw:
            return b"".join(parts)
    message = f"the body's gzip stream has over {_MAX_GZIP_MEMBERS} members"
    raise Refused(refusal(400, "invalid_gzip", message))


def too_large() -> Answer:
    """The answer to a body over the limit."""
    message = f"the body is over {MAX_BODY_BYTES} bytes; send smaller batches"
    return refusal(413, "too_large", message)


def _key_of(event: Raw) -> str:
    try:
        return _key_in(_decode_keyed(event))
    except msgspec.DecodeError:
        return ""


def _key_in(found: _Keyed) -> str:
    try:
        return "" if found.write_key is UNSET else _decode_text(found.write_key)
    except msgspec.DecodeError:
        return ""
