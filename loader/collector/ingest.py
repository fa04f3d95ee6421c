"""Takes events: finds their source, sees that they are JSON, and answers once they are durable."""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from loader.collector.body import Body, read_body
from loader.collector.client_ip import ClientIp
from loader.collector.commit import GroupCommit
from loader.collector.http import ACCEPTED, Refused, Request, overloaded, refusal
from loader.collector.hub import Respond
from loader.collector.keys import Keys, basic_username
from loader.collector.limits import RateLimits
from loader.collector.metrics import Metrics
from loader.collector.tokens import TokenIssuer
from loader.spool import encode_line

_NO_KEY: Final = refusal(
    401,
    "missing_write_key",
    "no write key: send it as the user name of Basic authorization, or as writeKey in the body",
)
_UNKNOWN_KEY: Final = refusal(
    401, "invalid_write_key", "no source of headwater.yml has this write key"
)
_BAD_TOKEN: Final = refusal(401, "invalid_token", "the bearer token is not valid, or has expired")
_NO_BATCH: Final = refusal(400, "invalid_body", "`batch` is missing; wanted an array of events")
_NOT_STORED: Final = refusal(
    503, "storage_unavailable", "the event could not be stored; send it again later", retry_after=2
)


class Ingest:
    """The way of a request with events into the spool. `is_full` stops it for a while."""

    def __init__(
        self,
        *,
        keys: Keys,
        tokens: TokenIssuer,
        limits: RateLimits,
        client_ip: ClientIp,
        commit: GroupCommit,
        metrics: Metrics,
    ) -> None:
        self.is_full = False
        self._keys = keys
        self._tokens = tokens
        self._limits = limits
        self._client_ip = client_ip
        self._commit = commit
        self._metrics = metrics

    def take_call(self, call: str) -> Callable[[Request, Respond], None]:
        """A handler of events whose path says `call`; a batch may come there too."""
        return lambda request, respond: self._take(request, respond, call)

    def take_batch(self, request: Request, respond: Respond) -> None:
        """Handle a request that has to hold a batch."""
        self._take(request, respond, None)

    def _take(self, request: Request, respond: Respond, call: str | None) -> None:
        try:
            body = read_body(request.body, request.headers.get(b"content-encoding", b""))
            if call is None and body.events is None:
                raise Refused(_NO_BATCH)
            source = self._source_of(request.headers.get(b"authorization", b""), body)
            self.spool(request, respond, body, source, call)
        except Refused as refused:
            respond(refused.answer)

    def spool(
        self,
        request: Request,
        respond: Respond,
        body: Body,
        source: str | None,
        call: str | None,
        *,
        is_browser: bool = False,
    ) -> None:
        """Write a body to the spool, and answer when it is there; Refused if there is no room."""
        if self.is_full:
            raise Refused(overloaded("the spool is full until the next load"))
        if source is not None:
            self._check_rate(source)
        if body.events == 0:
            respond(ACCEPTED)
            return
        head: dict[str, Any] = {
            "receivedAt": _now(),
            "source": source,
            "ip": self._client_ip.of(request.peer, request.header(b"x-forwarded-for")),
        }
        if is_browser or b"origin" in request.headers:
            head["browser"] = True
        if call is not None and body.events is None:
            head["type"] = call
        events = 1 if body.events is None else body.events

        def done(problem: OSError | None) -> None:
            if problem is None:
                self._metrics.took(source, events, len(body.text))
                respond(ACCEPTED)
            else:
                respond(_NOT_STORED)

        line = encode_line(head, body.text)
        if not self._commit.has_room(sum(map(len, line))):
            raise Refused(overloaded("the disk is behind"))
        self._commit.append(line, done)

    def _source_of(self, authorization: bytes, body: Body) -> str | None:
        """Whose events these are; None if each of them says so itself. Raises Refused.

        The key of Basic authorization comes first, then the body's, then the events', then a bearer
        token; but a token that is there has to be valid, so that a client learns to renew it.
        """
        scheme = authorization[:7].lower()
        bearer = ""
        if scheme.startswith(b"basic "):
            if source := self._keys.source_of_basic(authorization):
                return source
            if basic_username(authorization):
                raise Refused(_UNKNOWN_KEY)
        elif scheme == b"bearer ":
            bearer = self._bearer_source(authorization[7:].strip())
        if body.write_key:
            return self.source_of_key(body.write_key)
        keys = [key for key in body.keys_of_events() if key]
        if keys:
            sources = {self._keys.source_of(key) for key in keys}
            if sources == {None}:
                raise Refused(_UNKNOWN_KEY)
            if len(sources) == 1 and len(keys) == body.events:
                return sources.pop()
            for source in filter(None, sources):
                self._check_rate(source)
            return None
        if not bearer:
            raise Refused(_NO_KEY)
        return bearer

    def source_of_key(self, key: str) -> str:
        """The source that a write key belongs to; Refused if none."""
        source = self._keys.source_of(key)
        if source is None:
            raise Refused(_UNKNOWN_KEY if key else _NO_KEY)
        return source

    def _check_rate(self, source: str) -> None:
        if not self._limits.admits(source):
            raise Refused(overloaded(f"source {source}: too many requests a second"))

    def _bearer_source(self, token: bytes) -> str:
        text = token.decode("latin-1")
        source = self._tokens.source_of(text) or self._keys.source_of(text)
        if source is None:
            raise Refused(_BAD_TOKEN)
        return source


def _now() -> str:
    seconds, microseconds = divmod(time.time_ns() // 1000, 1_000_000)
    return f"{_second(seconds)}.{microseconds:06}Z"


@lru_cache(2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
