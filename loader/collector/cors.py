"""What lets a browser send from any site, see every answer, and ask for leave only once a day."""

import re
from typing import Final

from loader.collector.http import Answer, Request

_ORIGIN: Final = re.compile(r"[!-~]{1,256}")
_NAME: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_NAMES: Final = re.compile(rf"{_NAME}(?:[ \t]*,[ \t]*{_NAME})*")
_MAX_REQUESTED: Final = 1024
_USUAL_HEADERS: Final = "authorization, content-type, x-retry-count"


def preflight(request: Request) -> Answer:
    """Leave for any site to send, with whichever headers its SDK asks for.

    Whoever holds a write key may send from anywhere, so an origin says nothing; there are no
    cookies that another site could abuse.
    """
    asked = request.header(b"access-control-request-headers").strip()
    is_sane = len(asked) <= _MAX_REQUESTED and _NAMES.fullmatch(asked)
    headers = {
        "Access-Control-Allow-Origin": "*",
        **_leave_for(request.header(b"origin")),
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Allow-Headers": asked if is_sane else _USUAL_HEADERS,
        "Access-Control-Max-Age": "86400",
        "Vary": "Origin, Access-Control-Request-Headers",
    }
    return Answer(204, headers=headers)


def cors_headers(origin: str) -> dict[str, str]:
    """The headers that let `origin` read an answer, whatever its status.

    Without an origin Vary is left, or a cache would give browsers an answer that has no leave.
    """
    leave = _leave_for(origin)
    if not leave:
        return {"Vary": "Origin"}
    return {**leave, "Access-Control-Expose-Headers": "Retry-After", "Vary": "Origin"}


def _leave_for(origin: str) -> dict[str, str]:
    """Echo the origin: `*` would not do for an SDK that is told to send credentials."""
    if not _ORIGIN.fullmatch(origin):
        return {}
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
