"""The collector: Segment's HTTP API in, durable lines of the spool out."""

from loader.collector.server import collect

__all__ = ["collect"]
