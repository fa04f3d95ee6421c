"""One client's connection: HTTP/1.1 by httptools on asyncio, bounded in size, time and number.

Requests may be pipelined; answers leave in the order of the requests. A request that breaks a limit
is answered at once, the rest of what the client still sends is read and dropped, so that it comes
to see the answer, and the connection is closed.
"""

import asyncio
import traceback
from collections import deque
from typing import Any, Final

import httptools

from loader.collector.body import MAX_BODY_BYTES, too_large
from loader.collector.http import Answer, Request, overloaded, refusal
from loader.collector.hub import Hub
from loader.collector.rendering import render_head

MAX_HEADERS: Final = 100
MAX_HEAD_BYTES: Final = 96 * 1024  # of request line and headers; a pixel's query may be 64 KB
MAX_PIPELINED: Final = 16  # answers owed, beyond which nothing more is read
MAX_AT_ONCE: Final = 256  # requests that come in one read
MAX_UNREAD_BYTES: Final = 4 * 1024 * 1024  # answers that a client leaves lying
SMALL_BODY_BYTES: Final = 64 * 1024  # is taken however many large ones are on their way
MAX_READING_BYTES: Final = 64 * 1024 * 1024
MAX_DROPPED_BYTES: Final = 64 * 1024 * 1024
HEAD_SECONDS: Final = 10.0
BODY_SECONDS: Final = 60.0
IDLE_SECONDS: Final = 75.0
LINGER_SECONDS: Final = 5.0
_NEVER: Final = float("inf")
_UPGRADE_HEADERS: Final = frozenset({b"upgrade", b"connection", b"http2-settings"})
_FAULT: Final = refusal(
    503, "internal_error", "the collector failed; send it again later", retry_after=2
)
_HEAD_TOO_LARGE: Final = refusal(431, "headers_too_large", "the request's headers are too large")


class _Turn:
    """A request's place in the order of answers."""

    __slots__ = ("_connection", "_is_head", "_keeps_alive", "_origin", "data")

    def __init__(self, connection: "Connection", request: Request, *, keeps_alive: bool) -> None:
        self._connection = connection
        self._origin = request.header(b"origin")
        self._is_head = request.method == "HEAD"
        self._keeps_alive = keeps_alive
        self.data: bytes | None = None

    def respond(self, answer: Answer) -> None:
        """Give the request its answer; it leaves when those before it have left."""
        hub = self._connection.hub
        hub.metrics.answered(answer.status)
        keeps_alive = self._keeps_alive and not hub.is_draining
        head = render_head(answer, self._origin, keeps_alive=keeps_alive)
        self.data = head if self._is_head else head + answer.body
        self._connection.flush()


class Connection(asyncio.Protocol):
    """Parses what comes and hands whole requests to the hub."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.deadline = hub.now + HEAD_SECONDS
        self._parser: Any = httptools.HttpRequestParser(self)
        self._turns: deque[_Turn] = deque()
        self._is_closing = False
        self._is_paused = False
        self._is_blocked = False
        self._dropped_bytes = 0
        self._body_bytes = 0
        self._refusal: Answer | None = None  # to what breaks a limit
        self._begin()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note who connected."""
        self._transport: Any = transport
        address = transport.get_extra_info("peername")
        self._peer = address[0] if isinstance(address, tuple) else ""
        self.hub.connections.add(self)
        self.hub.metrics.connected(1)
        if len(self.hub.connections) > self.hub.max_connections:
            self._refuse(overloaded("too many connections"))
        elif self.hub.is_draining:
            transport.close()

    def connection_lost(self, _problem: Exception | None) -> None:
        """Forget the connection; what it sent whole is taken all the same."""
        self._is_closing = True
        self.hub.reading_bytes -= self._body_bytes
        self.hub.connections.discard(self)
        self.hub.metrics.connected(-1)

    def data_received(self, data: bytes) -> None:
        """Parse; what can't be parsed is told so."""
        if self._is_closing:
            self._drop(data)
            return
        self._received_bytes += len(data)
        self._at_once = 0
        try:
            self._parse(data)
        except httptools.HttpParserError as problem:
            self._refusal = refusal(400, "invalid_http", f"not an HTTP request: {problem}")
        if self._is_closing:
            return
        # Chunks of a byte each are six times their body; what is more is headers, or trailers.
        if self._received_bytes > MAX_HEAD_BYTES + 8 * self._body_bytes:
            self._refusal = self._refusal or _HEAD_TOO_LARGE
        if self._refusal is not None:
            self._refuse(self._refusal)

    def eof_received(self) -> bool:
        """The client sends no more; whether answers are still owed to it."""
        self._close_when_answered()
        return bool(self._turns)

    def pause_writing(self) -> None:
        """A client that doesn't read its answers isn't read either."""
        self._is_blocked = True
        self._pause()

    def resume_writing(self) -> None:
        """It reads again."""
        self._is_blocked = False
        self._resume()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self.deadline = self.hub.now + HEAD_SECONDS

    def on_url(self, url: bytes) -> None:
        """A part of the address."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, whole."""
        name = name.lower()
        if self._has_head:  # a trailer, which nobody asked for
            return
        if name in self._headers:
            self._headers[name] += b", " + value
        elif len(self._headers) < MAX_HEADERS:
            self._headers[name] = value
        else:
            self._refusal = _HEAD_TOO_LARGE

    def on_headers_complete(self) -> None:
        """All headers are there: refuse what would be too large, ask for what waits to be asked."""
        self._has_head = True
        self.deadline = self.hub.now + BODY_SECONDS
        length = self._headers.get(b"content-length")
        if length is not None and length.isdigit() and int(length) > MAX_BODY_BYTES:
            self._refusal = too_large()
        elif self._headers.get(b"expect", b"").lower() == b"100-continue" and not self._turns:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        """A part of the body."""
        self._body_bytes += len(part)
        self.hub.reading_bytes += len(part)
        if self._body_bytes > MAX_BODY_BYTES:
            self._refusal = too_large()
        elif self._body_bytes > SMALL_BODY_BYTES and self.hub.reading_bytes > MAX_READING_BYTES:
            self._refusal = overloaded("too many large requests at once")
        if self._refusal is None:
            self._parts.append(part)
        else:
            self._parts.clear()

    def on_message_complete(self) -> None:
        """Hand the request on; its answer may come at once or later."""
        if self._refusal is not None or self._is_closing or self._parser.should_upgrade():
            return
        self._at_once += 1
        unread_bytes = self._transport.get_write_buffer_size()
        if self._at_once > MAX_AT_ONCE or unread_bytes > MAX_UNREAD_BYTES:
            self._refusal = overloaded("too many requests at once on one connection")
            return
        parts, headers = self._parts, self._headers
        path, _, query = _origin_form(self._url).decode("latin-1").partition("?")
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        method = self._parser.get_method().decode()
        request = Request(method, path, query, headers, body, self._peer)
        is_old = self._parser.get_http_version() == "1.0"
        self._is_closing = is_old or not self._parser.should_keep_alive()
        turn = _Turn(self, request, keeps_alive=not self._is_closing)
        self._turns.append(turn)
        self._begin()
        self.deadline = _NEVER
        if len(self._turns) >= MAX_PIPELINED:
            self._pause()
        try:
            self.hub.handle(request, turn.respond)
        except Exception:  # noqa: BLE001 - a 4xx would make the SDK drop what it sent
            traceback.print_exc()
            turn.respond(_FAULT)

    # What the rest of the worker calls.

    def flush(self) -> None:
        """Send the answers that are ready and whose turn has come."""
        turns = self._turns
        if self._transport.is_closing():
            turns.clear()
            return
        while turns and (data := turns[0].data) is not None:
            turns.popleft()
            self._transport.write(data)
        if turns:
            return
        self._resume()
        if self.deadline == _NEVER:
            self.deadline = self.hub.now + IDLE_SECONDS
        if self._refusal is not None:
            self._linger()
        elif self._is_closing or self.hub.is_draining:
            self._close_when_answered()

    def close_if_idle(self) -> None:
        """Close unless an answer is owed, or a request is on its way."""
        if not self._turns and not self._headers and self._refusal is None:
            self._transport.close()

    def _close_when_answered(self) -> None:
        self._is_closing = True
        if not self._turns:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def _parse(self, data: bytes) -> None:
        """Feed the parser; a wish to upgrade is passed over, as HTTP lets a server do."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            method = self._parser.get_method()
            if method == b"CONNECT":
                self._refusal = refusal(400, "invalid_http", "this is no proxy")
                return
            headers = [
                b"%b: %b\r\n" % header
                for header in self._headers.items()
                if header[0] not in _UPGRADE_HEADERS
            ]
            head = b"%b %b HTTP/1.1\r\n%b\r\n" % (method, self._url, b"".join(headers))
            self._parser = httptools.HttpRequestParser(self)
            self._begin()
            self._received_bytes = len(data)
            self._parser.feed_data(head + data[upgrade.args[0] :])

    def _pause(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._is_paused and not self._is_blocked and not self._turns:
            self._is_paused = False
            self._transport.resume_reading()

    def _begin(self) -> None:
        self.hub.reading_bytes -= self._body_bytes
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._parts: list[bytes] = []
        self._body_bytes = 0
        self._received_bytes = 0
        self._has_head = False
        self._refusal = None

    def _refuse(self, answer: Answer) -> None:
        """Answer, after what is owed, and close."""
        self._refusal = answer
        self._is_closing = True
        request = Request("", "", "", self._headers, b"", self._peer)
        turn = _Turn(self, request, keeps_alive=False)
        self._turns.append(turn)
        turn.respond(answer)

    def _linger(self) -> None:
        """Let the client read the answer: a reset while it is still sending would swallow it."""
        self.deadline = self.hub.now + LINGER_SECONDS
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def _drop(self, data: bytes) -> None:
        self._dropped_bytes += len(data)
        if self._dropped_bytes > MAX_DROPPED_BYTES:
            self._transport.abort()


def _origin_form(url: bytes) -> bytes:
    """The path and query of a request's target, which may be a whole URL."""
    if url.startswith(b"/"):
        return url
    _, _, rest = url.partition(b"://")
    return b"/" + rest.partition(b"/")[2]
