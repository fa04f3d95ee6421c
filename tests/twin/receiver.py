"""A real HTTP server on 127.0.0.1 that keeps what it is sent and answers as it is told."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Received:
    """A request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What to answer; `drops` closes the connection instead, `hangs` says nothing at all."""

    status: int = 200
    body: str | bytes = ""
    headers: dict[str, str] = field(default_factory=dict)
    drops: bool = False
    hangs: bool = False


class Receiver:
    """The server: `script` answers the first requests, in turn; after it `answer` decides."""

    def __init__(self, script: Iterable[Answer] = ()) -> None:
        self.requests: list[Received] = []
        self.script = iter(script)
        self.answer: Callable[[Received], Answer | Awaitable[Answer]] = lambda _: Answer()
        self.url = ""

    def keys(self) -> list[str]:
        """The idempotency key of every request, in order of arrival."""
        return [request.headers["Idempotency-Key"] for request in self.requests]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        received = Received(
            request.method, request.path, dict(request.headers), await request.read()
        )
        self.requests.append(received)
        answer = next(self.script, None) or self.answer(received)
        if isinstance(answer, Awaitable):
            answer = await answer
        if answer.hangs:
            await asyncio.Event().wait()
        if answer.drops:
            assert request.transport is not None
            request.transport.abort()
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        return web.Response(status=answer.status, body=body, headers=answer.headers)


@contextmanager
def serving(script: Iterable[Answer] = ()) -> Iterator[Receiver]:
    """A Receiver that listens, in a thread of its own, until the block ends."""
    receiver = Receiver(script)
    loop = asyncio.new_event_loop()
    ready = threading.Event()

    async def listen() -> None:
        server = web.Server(receiver.handle, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=0.01)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
        await site.start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        ready.set()
        await stop.wait()
        await runner.cleanup()

    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(listen()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
