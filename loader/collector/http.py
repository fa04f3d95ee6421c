"""An HTTP request as the collector's handlers see it, and what they answer."""

import random
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from loader.event.naming import CALL_TABLES

_encode = msgspec.json.encode
JSON: Final = "application/json"
# What an address may call a call: in full, or by its first letter.
CALLS: Final = {alias: call for call in CALL_TABLES for alias in (call, call[0])}


@dataclass(slots=True)
class Request:
    """A request that has come whole; header names in lower case, `path` without its query."""

    method: str
    path: str
    query: str
    headers: dict[bytes, bytes]
    body: bytes
    peer: str  # the address of who connected: perhaps a proxy

    def header(self, name: bytes) -> str:
        """The value of a header, "" if there is none."""
        return self.headers.get(name, b"").decode("latin-1")


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body and its type, and headers beside those that every answer has."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


def json_answer(document: dict[str, Any], *, status: int = 200) -> Answer:
    """An answer with a JSON document."""
    return Answer(status, _encode(document))


def refusal(status: int, code: str, message: str, *, retry_after: int | None = None) -> Answer:
    """An answer that says no: SDKs show `code` and `message` to their users."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    body = _encode({"success": False, "code": code, "message": message})
    return Answer(status, body, headers=headers)


def overloaded(why: str) -> Answer:
    """Ask the client to come again shortly; at random, so that not all come at once."""
    return refusal(429, "overloaded", why, retry_after=random.randint(1, 2))  # noqa: S311


ACCEPTED: Final = json_answer({"success": True})


class Refused(Exception):
    """A request is turned down with `answer`."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer
