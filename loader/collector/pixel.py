"""Events in the address of an image, for mails and pages where nothing but an image can be sent."""

import base64
import binascii
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from loader.collector.http import CALLS, Answer, Request

PIXEL: Final = Answer(
    200,
    # 1 x 1, its only pixel transparent
    bytes.fromhex(
        "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
    ),
    "image/gif",
    {"Cache-Control": "no-store"},  # each look at a mail is an event
)
_MAX_QUERY: Final = 64 * 1024
_MAX_FIELDS: Final = 1_000
_MAX_NESTING: Final = 10
_STANDARD_BASE64: Final = str.maketrans("-_ ", "+/+")  # an unescaped + arrives as a space


class _Keyed(msgspec.Struct, rename="camel"):
    """An event, as far as it is looked at here."""

    write_key: str = ""


def pixel_event(request: Request) -> tuple[str, bytes, str] | None:
    """(call, the event's JSON, its write key) of an image's address; None if there is no event.

    The event stands in `data` as base64 of its JSON, in either alphabet, padded or not; or field
    by field, as in `userId=u&properties.subject=Hello`. Then each value is a string.
    """
    call = CALLS.get(request.path.rstrip("/").rpartition("/")[2])
    if call is None or len(request.query) > _MAX_QUERY:
        return None
    try:
        fields = _fields_of(request.query)
        data = fields.get("data")
        text = _unflatten(fields) if data is None else _from_base64(data)
        key = msgspec.json.decode(text, type=_Keyed).write_key
    except (ValueError, RecursionError):  # binascii's and msgspec's errors are ValueErrors
        return None
    return call, text, key or fields.get("writeKey", "")


def _fields_of(query: str) -> dict[str, str]:
    """The last value of each name; what is not UTF-8 has its bytes replaced."""
    pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MAX_FIELDS, encoding="latin-1")
    return {_from_latin(name): _from_latin(value) for name, value in pairs}


def _from_latin(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "replace")


def _from_base64(data: str) -> bytes:
    plain = data.translate(_STANDARD_BASE64).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        if data.lstrip().startswith("{"):  # not encoded at all
            return data.encode()
        raise


def _unflatten(fields: dict[str, str]) -> bytes:
    """`{"a.b": "c"}` as the JSON of `{"a": {"b": "c"}}`; ValueError if it is nested too deep."""
    event: dict[str, Any] = {}
    for name, value in fields.items():
        *folders, leaf = name.split(".", _MAX_NESTING)
        if "." in leaf:
            raise ValueError(f"{name!r}: nested too deep")
        place = event
        for folder in folders:
            inner = place.get(folder)
            if not isinstance(inner, dict):  # a value of the same name gives way
                inner = place[folder] = {}
            place = inner
        place[leaf] = value
    return msgspec.json.encode(event)
