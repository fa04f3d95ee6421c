"""What all connections of a worker share."""

import resource
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from loader.collector.http import Answer, Request
from loader.collector.metrics import Metrics

if TYPE_CHECKING:
    from loader.collector.connection import Connection

MAX_CONNECTIONS: Final = 10_000
_OTHER_FILES: Final = 50  # that a worker has open

Respond = Callable[[Answer], None]
Handle = Callable[[Request, Respond], None]


class Hub:
    """Who handles requests, which connections there are, and how much is being read."""

    def __init__(self, handle: Handle, metrics: Metrics) -> None:
        self.handle = handle
        self.metrics = metrics
        self.connections: set[Connection] = set()
        self.reading_bytes = 0  # of bodies that have not come whole
        most_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.max_connections = max(1, min(MAX_CONNECTIONS, most_files - _OTHER_FILES))
        self.now = 0.0  # the loop's time, as of the last look at the deadlines
        self.is_draining = False

    def sweep(self, now: float) -> None:
        """Close the connections whose client is too slow."""
        self.now = now
        for connection in list(self.connections):
            if connection.deadline < now:
                connection.abort()

    def drain(self) -> None:
        """Close each connection as soon as it owes no answer."""
        self.is_draining = True
        for connection in list(self.connections):
            connection.close_if_idle()
