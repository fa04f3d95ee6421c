"""A proxy between an SDK and the collector that knows what passed, and fails by script.

Where it ends TLS, it does as nginx should: Host as it came, X-Forwarded-For, X-Forwarded-Proto.
"""

import asyncio
import gzip
import json
import ssl
import threading
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession, ClientTimeout, web
from yarl import URL

CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
_NAMES = ("track", "identify", "page", "screen", "group", "alias")
CALLS = {name: name for name in _NAMES} | {name[0]: name for name in _NAMES}
# Refused twice, never forwarded, stored but not answered; and "hold": the same, without hanging up.
FAULTS = ("429", "500", "drop", "lose")
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


@dataclass
class Exchange:
    """One request that carried events; `status` is None where the client got no answer."""

    path: str
    headers: dict[str, str]
    events: list[dict[str, Any]]
    fault: str | None
    status: int | None = None


class Loop:
    """An event loop in a thread of its own, for servers that a test talks to."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=20)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=20)
        self._loop.close()


class Proxy:
    """Forwards to the collector at `upstream`; each request with events meets the next fault."""

    def __init__(
        self,
        loop: Loop,
        upstream: str,
        faults: Iterable[str | None] = (),
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.exchanges: list[Exchange] = []
        self.preflights: list[str] = []
        self._faults = iter(faults)
        self._upstream = upstream
        self._scheme = "https" if tls else "http"
        self._loop = loop
        self.url: str = loop.run(self._start(tls))

    def close(self) -> None:
        self._loop.run(self._stop())

    @property
    def acknowledged(self) -> list[dict[str, Any]]:
        """Every event that the client was told is safe, as it came."""
        return [e for x in self.exchanges if x.status == 200 for e in x.events]

    @property
    def forwarded(self) -> dict[str, dict[str, Any]]:
        """messageId -> the event, as it first came to the collector; a retry renews its sentAt."""
        passed = [x for x in self.exchanges if x.fault in (None, "lose", "hold")]
        return {e["messageId"]: e for x in reversed(passed) for e in x.events}

    @property
    def acknowledged_ids(self) -> set[str]:
        return {event["messageId"] for event in self.acknowledged}

    async def _start(self, tls: ssl.SSLContext | None) -> str:
        self._session = ClientSession(auto_decompress=False, timeout=ClientTimeout(total=30))
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/{anything:.*}", self._handle)
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=1, auto_decompress=False
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        host = "localhost" if tls else "127.0.0.1"
        return f"{self._scheme}://{host}:{self._runner.addresses[0][1]}"

    async def _stop(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if request.method == "OPTIONS":
            self.preflights.append(request.path)
        events = _events_of(request, body)
        if events is None:
            return await self._forward(request, body)
        fault = next(self._faults, None)
        exchange = Exchange(request.path, dict(request.headers), events, fault)
        self.exchanges.append(exchange)
        if fault in ("drop", "lose", "hold"):
            if fault != "drop":
                await self._forward(request, body)
            await _hang_up(request, is_patient=fault == "hold")
            return web.Response()
        if fault is None:
            answer = await self._forward(request, body)
        else:
            answer = web.Response(status=int(fault), headers=CORS)
            if fault == "429":
                answer.headers["Retry-After"] = "1"
        exchange.status = answer.status
        return answer

    async def _forward(self, request: web.Request, body: bytes) -> web.Response:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP}
        headers["X-Forwarded-For"] = str(request.remote)
        headers["X-Forwarded-Proto"] = self._scheme
        url = URL(self._upstream + request.raw_path, encoded=True)
        sent = self._session.request(
            request.method, url, data=body or None, headers=headers, allow_redirects=False
        )
        async with sent as answer:
            passed = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP}
            return web.Response(body=await answer.read(), status=answer.status, headers=passed)


async def _hang_up(request: web.Request, *, is_patient: bool) -> None:
    """Close the connection, or wait until the client does."""
    while is_patient and request.transport is not None:
        await asyncio.sleep(0.02)
    if request.transport is not None:
        request.transport.abort()


def _events_of(request: web.Request, body: bytes) -> list[dict[str, Any]] | None:
    """The events that a request carries, each with its type; None if it is no such request."""
    name = request.path.rpartition("/")[2]
    if request.method != "POST" or name not in {*CALLS, "batch", "b", "import"}:
        return None
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    with suppress(ValueError):
        found = json.loads(body)
        if name in CALLS:
            return [{"type": CALLS[name], **found}]
        return [{"sentAt": found.get("sentAt"), **event} for event in found["batch"]]
    return []
