"""SIGINT and SIGTERM as something to wait for, so that no pause outlasts them."""

import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stop_signals() -> Iterator[Callable[[float], bool]]:
    """A wait of so many seconds; it returns True, at once, when a signal to stop has come.

    What is at work when it comes is finished first; a second signal acts as it always does.
    """
    arrived, notify = os.pipe()
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in usual.items():
            signal.signal(number, handler)

    def take(_number: int, _frame: object) -> None:
        os.write(notify, b".")
        restore()

    for number in usual:
        signal.signal(number, take)
    try:
        yield lambda seconds: bool(select.select([arrived], [], [], seconds)[0])
    finally:
        restore()
        os.close(arrived)
        os.close(notify)
