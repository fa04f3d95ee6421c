"""Counters that all workers share, and their text for Prometheus.

They lie in memory that the workers inherit: each writes in a row of its own, so nothing is locked,
and whichever worker is asked adds the rows up.
"""

import mmap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from loader.collector.http import Answer

STATUSES: Final = (200, 204, 304, 400, 401, 404, 405, 413, 429, 431, 503)
_PLAIN: Final = {
    "body_bytes": "Bytes of bodies that were taken, decompressed.",
    "commits": "Writes to the spool, each of one or more requests.",
    "commit_seconds": "Seconds that those writes took, until durable.",
}
_CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class SharedCounters:
    """The memory, a row a worker; made before the workers are forked."""

    def __init__(self, workers: int, sources: Iterable[str]) -> None:
        self.sources: Sequence[str] = (*sources, "")  # "": each event named its own
        self.names = [*_PLAIN, "connections", *map(str, STATUSES)]
        self._width = len(self.names) + len(self.sources)
        memory = memoryview(mmap.mmap(-1, 8 * self._width * workers))
        self._numbers: memoryview[float] = memory.cast("d")

    def row(self, worker: int) -> "memoryview[float]":
        """The row of one worker: a double each of `names`, then of `sources`."""
        return self._numbers[worker * self._width : (worker + 1) * self._width]

    def totals(self) -> list[float]:
        """The sum over all workers, in the order of a row."""
        return [sum(self._numbers[at :: self._width]) for at in range(self._width)]


class Metrics:
    """What one worker counts."""

    def __init__(self, shared: SharedCounters, worker: int) -> None:
        self._shared = shared
        self._row = shared.row(worker)
        at = {name: place for place, name in enumerate(shared.names)}
        self._at_status = {status: at[str(status)] for status in STATUSES}
        self._at_source = {name: i for i, name in enumerate(shared.sources, len(shared.names))}
        self._at_connections = at["connections"]
        self._row[self._at_connections] = 0  # those of a worker that was killed are gone

    def answered(self, status: int) -> None:
        """One more answer of this status."""
        self._row[self._at_status[status]] += 1

    def took(self, source: str | None, events: int, body_bytes: int) -> None:
        """So many events of one request were made durable."""
        self._row[self._at_source[source or ""]] += events
        self._row[0] += body_bytes

    def committed(self, seconds: float) -> None:
        """One more write to the spool."""
        self._row[1] += 1
        self._row[2] += seconds

    def connected(self, change: int) -> None:
        """A connection came (1) or went (-1)."""
        self._row[self._at_connections] += change

    def answer(self, spool_bytes: int, spool_segments: int) -> Answer:
        """All workers' numbers as Prometheus reads them."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Snapshot(self._shared, spool_bytes, spool_segments))
        return Answer(200, generate_latest(registry), _CONTENT_TYPE)


class _Snapshot:
    """The numbers of one moment, in the form that prometheus_client asks for."""

    def __init__(self, shared: SharedCounters, spool_bytes: int, spool_segments: int) -> None:
        self._shared = shared
        self._spool = (spool_bytes, spool_segments)

    def collect(self) -> Iterator[Metric]:
        row = self._shared.totals()
        totals = dict(zip(self._shared.names, row, strict=False))
        for name, text in _PLAIN.items():
            yield CounterMetricFamily(f"headwater_{name}", text, value=totals[name])
        requests = CounterMetricFamily(
            "headwater_requests", "Requests that were answered.", labels=["status"]
        )
        for status in STATUSES:
            requests.add_metric([str(status)], totals[str(status)])
        yield requests
        events = CounterMetricFamily(
            "headwater_events", "Events made durable, by source.", labels=["source"]
        )
        for source, count in zip(self._shared.sources, row[len(totals) :], strict=True):
            events.add_metric([source], count)
        yield events
        connections = totals["connections"]
        yield GaugeMetricFamily("headwater_connections", "Open connections.", connections)
        size, segments = self._spool
        yield GaugeMetricFamily("headwater_spool_bytes", "Bytes waiting for a load.", size)
        text = "Segments waiting for a load."
        yield GaugeMetricFamily("headwater_spool_segments", text, segments)
