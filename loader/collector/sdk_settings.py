"""The settings that analytics.js asks for when it loads: they send it back to this collector."""

import re
from typing import Final

from loader.collector.http import Answer, Request, json_answer, refusal

_HOST: Final = re.compile(
    r"(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?"
)
_NO_HOST: Final = refusal(
    400, "invalid_host", "the request's Host is missing or malformed, so nobody knows where to send"
)


def settings_answer(key: str, base_url: str) -> Answer:
    """What the SDK needs to send with `key` to `base_url`; refused where that is not known.

    Each part counts: without apiHost, protocol or metrics the SDK turns to Segment's own hosts.
    """
    if not base_url:
        return _NO_HOST
    protocol, _, host = base_url.partition("://")
    integration = {"apiKey": key, "apiHost": f"{host}/v1", "protocol": protocol}
    document = {"integrations": {"Segment.io": integration}, "metrics": {"sampleRate": 0}}
    answer = json_answer(document)
    # Private: it depends on headers that a shared cache may not tell apart.
    answer.headers["Cache-Control"] = "private, max-age=60"
    return answer


def base_url_of(request: Request, public_url: str | None, *, is_trusted_proxy: bool) -> str:
    """`scheme://host[:port][/prefix]` as the client sees this collector; "" if it can't be told.

    The configured URL wins; else it is what the client asked for, by the headers of a proxy only
    where that is trusted.
    """
    if public_url:
        return public_url.rstrip("/")
    host, scheme = request.header(b"host"), "http"
    if is_trusted_proxy:
        host = _first(request.header(b"x-forwarded-host")) or host
        if _first(request.header(b"x-forwarded-proto")).lower() == "https":
            scheme = "https"
    return f"{scheme}://{host}" if _HOST.fullmatch(host) else ""


def _first(values: str) -> str:
    """What the proxy nearest to the client said, where each added its own behind a comma."""
    return values.partition(",")[0].strip()
