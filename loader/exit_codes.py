"""What a command exits with, and which code stands for several."""

from collections.abc import Iterable
from typing import Final

DONE: Final = 0
FAILED: Final = 1
MISUSED: Final = 2  # wrong usage or config, or an input that is missing
NEWLY_REJECTED: Final = 3  # done, and something was newly blocked or rejected
INTERRUPTED: Final = 130

_WORSE_TO_THE_RIGHT: Final = (DONE, NEWLY_REJECTED, FAILED, MISUSED)


def worst(exit_codes: Iterable[int]) -> int:
    """The exit code that stands for all of them: 2 before 1 before 3 before 0."""
    return max(exit_codes, key=_WORSE_TO_THE_RIGHT.index, default=DONE)
