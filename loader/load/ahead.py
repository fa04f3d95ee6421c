"""An iterator that works one step ahead of who uses it, in a thread of its own."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")


def ahead(iterator: Iterator[_Item]) -> Iterator[_Item]:
    """The same items; the next one is being made while the last is used."""
    with ThreadPoolExecutor(1, "ahead") as thread:
        coming = thread.submit(next, iterator, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, iterator, None)
            yield item
