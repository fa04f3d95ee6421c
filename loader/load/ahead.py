"""An iterator that works ahead of who uses it, in a thread of its own."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

_Item = TypeVar("_Item")
_DEPTH: Final = 3  # items made before the first of them is used


def ahead(iterator: Iterator[_Item]) -> Iterator[_Item]:
    """The same items (none of them None); the next ones are being made while one is used."""
    thread = ThreadPoolExecutor(1, "ahead")
    coming: deque[Future[_Item | None]] = deque()
    try:
        for _ in range(_DEPTH):
            coming.append(thread.submit(next, iterator, None))
        while (item := coming.popleft().result()) is not None:
            coming.append(thread.submit(next, iterator, None))
            yield item
    finally:
        thread.shutdown(cancel_futures=True)
