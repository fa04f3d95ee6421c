"""One worker: an event loop with its connections, its folder of the spool, and a tick."""

import asyncio
import signal
import socket
import sys
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from typing import Final

from loader.collector.analytics_js import AnalyticsJs
from loader.collector.client_ip import ClientIp
from loader.collector.commit import GroupCommit
from loader.collector.connection import Connection
from loader.collector.http import Answer
from loader.collector.hub import Hub
from loader.collector.ingest import Ingest
from loader.collector.keys import Keys
from loader.collector.limits import RateLimits
from loader.collector.metrics import Metrics, SharedCounters
from loader.collector.routes import Routes
from loader.collector.tokens import TokenIssuer
from loader.config import Workspace
from loader.spool import SpoolWriter, claim_folder, recover, seal_requested_at, spool_size

_TICK_SECONDS: Final = 0.1
_TICKS_TO_SWEEP: Final = 10
_TICKS_TO_MEASURE: Final = 20
_DRAIN_SECONDS: Final = 15.0


class Worker:
    """Serves on a socket that listens already, until SIGTERM or SIGINT; then drains and seals."""

    def __init__(
        self,
        workspace: Workspace,
        number: int,
        *,
        workers: int,
        keys: Keys,
        tokens: TokenIssuer,
        counters: SharedCounters,
    ) -> None:
        self._workspace = workspace
        self._config = workspace.config.collector
        self._workers = workers
        self._keys = keys
        self._tokens = tokens
        self._metrics = Metrics(counters, number)
        self._spool_size = (0, 0)
        self._was_refused = False

    async def serve(self, listener: socket.socket) -> None:
        """Take events until told to stop; everything that was acknowledged is sealed on return."""
        with ExitStack() as held:
            folder = claim_folder(self._workspace.spool, held)
            recover(folder)
            self._seal_requested_at = seal_requested_at(self._workspace.spool)
            self._wire(folder)
            loop = asyncio.get_running_loop()
            stopped = asyncio.Event()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, stopped.set)
            self._hub.now = loop.time()
            server = await loop.create_server(lambda: Connection(self._hub), sock=listener)
            ticking = asyncio.create_task(self._tick())
            stopping = asyncio.create_task(stopped.wait())
            await asyncio.wait((ticking, stopping), return_when=asyncio.FIRST_COMPLETED)
            server.close()
            await self._drain()
            ticking.cancel()
            self._commit.close()
            self._tell_of_the_disk()
            if not stopping.done():
                ticking.result()

    def _wire(self, folder: Path) -> None:
        config = self._config
        loop = asyncio.get_running_loop()
        writer = SpoolWriter(
            folder,
            seal_bytes=config.segment_megabytes * 1_000_000,
            seal_seconds=config.seal_after.total_seconds(),
        )
        self._commit = GroupCommit(writer, loop, self._metrics)
        client_ip = ClientIp(config.trusted_proxies)
        limits = {
            name: source.requests_per_second / self._workers
            for name, source in self._workspace.config.sources.items()
            if source.requests_per_second
        }
        self._ingest = Ingest(
            keys=self._keys,
            tokens=self._tokens,
            limits=RateLimits(limits),
            client_ip=client_ip,
            commit=self._commit,
            metrics=self._metrics,
        )
        package = config.analytics_js
        self._routes = Routes(
            self._ingest,
            keys=self._keys,
            tokens=self._tokens,
            analytics_js=AnalyticsJs(self._workspace.root / package if package else None),
            client_ip=client_ip,
            public_url=config.public_url,
            commit=self._commit,
            metrics=self._metrics_answer,
        )
        self._hub = Hub(self._routes.handle, self._metrics)

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        for turn in count():
            if (asked := seal_requested_at(self._workspace.spool)) != self._seal_requested_at:
                self._seal_requested_at = asked
                self._commit.seal()
            if turn % _TICKS_TO_SWEEP == 0:
                self._hub.sweep(loop.time())
                self._commit.maintain()
            self._tell_of_the_disk()
            if turn % _TICKS_TO_MEASURE == 0:
                with suppress(OSError):  # then it is as large as it was
                    self._spool_size = await loop.run_in_executor(
                        None, spool_size, self._workspace.spool
                    )
                self._ingest.is_full = self._spool_size[0] > self._config.spool_megabytes * 1e6
            await asyncio.sleep(_TICK_SECONDS)

    async def _drain(self) -> None:
        """Let who is being served finish; whoever takes too long is cut off."""
        self._routes.is_draining = True
        self._hub.drain()
        deadline = asyncio.get_running_loop().time() + _DRAIN_SECONDS
        while self._hub.connections or not self._commit.is_idle:
            if asyncio.get_running_loop().time() > deadline:
                for connection in list(self._hub.connections):
                    connection.abort()
                break
            await asyncio.sleep(0.01)

    def _metrics_answer(self) -> Answer:
        return self._metrics.answer(*self._spool_size)

    def _tell_of_the_disk(self) -> None:
        """One line when the disk begins to refuse, one when it takes again."""
        problem = self._commit.problem
        if (problem is not None) != self._was_refused:
            self._was_refused = problem is not None
            state = f"state=refused reason={problem.strerror!r}" if problem else "state=ok"
            log(f"collect.disk {state}")


def log(line: str) -> None:
    """One line on stderr, whole even where several workers write."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
