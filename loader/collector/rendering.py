"""An answer as HTTP/1.1 puts it on the wire."""

from functools import lru_cache
from typing import Final

from loader.collector.cors import cors_headers
from loader.collector.http import ACCEPTED, Answer

_REASONS: Final = {
    200: "OK",
    204: "No Content",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}
_LONGEST_ORIGIN: Final = 256


def render_head(answer: Answer, origin: str, *, keeps_alive: bool) -> bytes:
    """The status line and headers of an answer; what nearly every request gets is kept ready."""
    if answer is ACCEPTED:
        return _accepted(origin if len(origin) <= _LONGEST_ORIGIN else "", keeps_alive)
    return _render(answer, origin, keeps_alive)


def _render(answer: Answer, origin: str, keeps_alive: bool) -> bytes:  # noqa: FBT001
    lines = [f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}"]
    headers = answer.headers
    if answer.status != 204:  # which is a preflight's, with headers of its own
        headers = cors_headers(origin) | headers
    if answer.status not in (204, 304):
        lines += [f"Content-Type: {answer.content_type}", f"Content-Length: {len(answer.body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if not keeps_alive:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


@lru_cache(256)
def _accepted(origin: str, keeps_alive: bool) -> bytes:  # noqa: FBT001 - lru_cache is quicker so
    return _render(ACCEPTED, origin, keeps_alive)
