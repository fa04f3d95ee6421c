"""Group commit: while one write is on its way to the disk, what comes meanwhile forms the next."""

import asyncio
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from typing import Final

from loader.collector.metrics import Metrics
from loader.spool import LineBuffer, SpoolWriter

BUFFER_BYTES: Final = 32 * 1024 * 1024  # of one write; there are two

Done = Callable[[OSError | None], None]


class GroupCommit:
    """Makes lines durable from an event loop; the disk is used in a thread of its own.

    `problem` is why the disk refused the last time, None while it doesn't.
    """

    def __init__(
        self, writer: SpoolWriter, loop: asyncio.AbstractEventLoop, metrics: Metrics
    ) -> None:
        self.problem: OSError | None = None
        self._writer = writer
        self._loop = loop
        self._metrics = metrics
        self._filling, self._writing = LineBuffer(BUFFER_BYTES), LineBuffer(BUFFER_BYTES)
        self._done: list[Done] = []
        self._is_writing = False
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="spool", daemon=True)
        self._thread.start()

    def has_room(self, size: int) -> bool:
        """Whether a line of so many bytes can wait for the disk just now."""
        return self._filling.has_room(size)

    def append(self, line: Iterable[bytes], done: Done) -> None:
        """Write `line`; `done` is told in the loop that it is durable, or what went wrong."""
        self._filling.add(line)
        self._done.append(done)
        if not self._is_writing:
            self._is_writing = True
            self._loop.call_soon(self._start)  # whoever is being read just now still joins

    @property
    def is_idle(self) -> bool:
        """Whether every line that was appended has been told its fate."""
        return not (self._is_writing or self._done)

    def seal(self) -> None:
        """Seal the open segment, after what is being written."""
        self._jobs.put(lambda: self._attempt(self._writer.seal))

    def maintain(self) -> None:
        """Seal what is due; if the disk refused, see whether it takes writes again."""
        self._jobs.put(lambda: self._attempt(self._writer.seal_if_due))
        if self.problem is not None:
            self._jobs.put(self._probe)

    def close(self) -> None:
        """Seal, and let the thread end; blocks until both are done."""
        self.seal()
        self._jobs.put(None)
        self._thread.join()

    def _start(self) -> None:
        done, self._done = self._done, []
        self._filling, self._writing = self._writing, self._filling
        self._jobs.put(lambda: self._write(done))

    def _finish(self, problem: OSError | None, seconds: float, done: list[Done]) -> None:
        self.problem = problem
        self._writing.clear()
        self._metrics.committed(seconds)
        for tell in done:
            try:
                tell(problem)
            except Exception as error:  # noqa: BLE001 - the others in the group wait to be told
                self._loop.call_exception_handler({"message": "answering", "exception": error})
        if self._done:
            self._start()
        else:
            self._is_writing = False

    # What follows runs in the thread.

    def _work(self) -> None:
        try:
            while (job := self._jobs.get()) is not None:
                job()
        except BaseException:  # noqa: BLE001 - requests would wait for ever: let the worker be started anew
            traceback.print_exc()
            os._exit(1)

    def _write(self, done: list[Done]) -> None:
        started = time.monotonic()
        problem = None
        try:
            self._writer.write(self._writing)
        except OSError as refused:
            problem = refused
        seconds = time.monotonic() - started
        self._loop.call_soon_threadsafe(self._finish, problem, seconds, done)
        if problem is None:
            self._attempt(self._writer.seal_if_due)

    def _attempt(self, act: Callable[[], None]) -> None:
        try:
            act()
        except OSError as refused:
            self._loop.call_soon_threadsafe(self._note, refused)

    def _probe(self) -> None:
        problem = None
        try:
            self._writer.probe()
        except OSError as refused:
            problem = refused
        self._loop.call_soon_threadsafe(self._note, problem)

    def _note(self, problem: OSError | None) -> None:
        self.problem = problem
