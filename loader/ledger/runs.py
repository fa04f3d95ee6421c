"""Runs of keys: sorted arrays in memory or in a file, and how several become one.

A file holds the high halves of its keys in order, then their low halves, then the day on which each
was loaded: 18 bytes a key. Halves are numbers, which are compared a machine word at a time.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from loader.durable import replacing
from loader.errors import StorageError

Halves = npt.NDArray[np.uint64]
Days = npt.NDArray[np.uint16]  # days since the first of 2020

_HALF, _DAY = np.dtype("<u8"), np.dtype("<u2")
_KEY_BYTES: Final = 2 * _HALF.itemsize + _DAY.itemsize
_BLOCK_KEYS: Final = 1 << 16  # of the largest run, merged at a time
_LARGE_RUN: Final = 1 << 19  # keys, which no longer lie in the processor's caches
_FENCED_KEYS: Final = 512  # high halves of one page
_AS_BYTES: Final = ".ids"  # files of before: whole keys of 16 bytes, big end first, then days


@dataclass(frozen=True, slots=True)
class Run:
    """One file of keys of one kind, `accepted` or `blocked`; `file` is its name.

    `days` tells how many were loaded on which day since the first of 2020, which JSON has as text.
    """

    file: str
    kind: str
    count: int
    days: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys in the order of their high halves, with the day of each; `path` is where they lie.

    Without a path they are in memory only. `days_of` counts them by day. `fence` has every 512th
    high half of a large run.
    """

    highs: Halves
    lows: Halves
    days: Days
    days_of: Mapping[int, int]
    path: Path | None = None
    fence: Halves | None = None

    def __len__(self) -> int:
        return len(self.highs)

    def live(self, oldest: int) -> int:
        """How many were loaded on the day `oldest` or later."""
        return sum(count for day, count in self.days_of.items() if day >= oldest)

    def contain(self, highs: Halves, lows: Halves, oldest: int) -> npt.NDArray[np.bool_]:
        """For each key, whether it is here and was loaded on the day `oldest` or later."""
        at = self._places(highs)
        is_here = np.zeros(len(highs), dtype=bool)
        asked = np.flatnonzero(at < len(self))
        while len(asked):  # again for what was found, since keys may share their high half
            asked = asked[self.highs[at[asked]] == highs[asked]]
            place = at[asked]
            is_here[asked] = (self.lows[place] == lows[asked]) & (self.days[place] >= oldest)
            at[asked] += 1
            asked = asked[~is_here[asked] & (at[asked] < len(self))]
        return is_here

    def _places(self, highs: Halves) -> npt.NDArray[np.intp]:
        """As np.searchsorted tells; in a large run by its fence, then on one page for each key."""
        if self.fence is None:
            return np.searchsorted(self.highs, highs)
        last = len(self) - 1
        less = np.maximum((np.searchsorted(self.fence, highs) - 1) * _FENCED_KEYS + 1, 0)
        step = _FENCED_KEYS // 2
        while step:
            is_less = self.highs[np.minimum(less + (step - 1), last)] < highs
            less += step * is_less
            step //= 2
        return np.minimum(less, last + 1)

    def block(self, start: int, end: int) -> tuple[Halves, Halves, Days]:
        """High halves, low halves and days from `start` to `end`, read without mapping a file."""
        if self.path is None:
            return self.highs[start:end], self.lows[start:end], self.days[start:end]
        count, size = len(self), end - start
        highs_at, lows_at = _HALF.itemsize * start, _HALF.itemsize * (count + start)
        days_at = 2 * _HALF.itemsize * count + _DAY.itemsize * start
        return (
            np.fromfile(self.path, _HALF, size, offset=highs_at),
            np.fromfile(self.path, _HALF, size, offset=lows_at),
            np.fromfile(self.path, _DAY, size, offset=days_at),
        )


def read_run(folder: Path, run: Run) -> Keys:
    """The keys of a run, looked up in its file as it lies; StorageError if it is not whole.

    A file as they were written before is read into memory instead.
    """
    path, count = folder / run.file, run.count
    try:
        stored = np.asarray(np.memmap(path, np.uint8, "r", shape=(count * _KEY_BYTES,)))
    except (OSError, ValueError) as problem:
        raise StorageError(
            f"{path}: the ids of {count} events loaded can't be read: {problem}",
            fix="restore the workspace's state from a backup",
        ) from problem
    days = stored[2 * _HALF.itemsize * count :].view(_DAY)
    halves = stored[: 2 * _HALF.itemsize * count]
    if path.suffix == _AS_BYTES:
        pairs = halves.view(">u8").reshape(-1, 2)
        highs, lows = pairs[:, 0].astype(_HALF), pairs[:, 1].astype(_HALF)
        return Keys(highs, lows, days, Counter(days.tolist()))
    highs, lows = halves.view(_HALF).reshape(2, count)
    fence = highs[::_FENCED_KEYS].copy() if count >= _LARGE_RUN else None
    days_of = {int(day): number for day, number in run.days.items()}
    return Keys(highs, lows, days, days_of, path, fence)


def merge(runs: Sequence[Keys], oldest: int) -> Keys:
    """One run of several, in memory."""
    highs, lows, days = _in_order([run.block(0, len(run)) for run in runs], oldest)
    return Keys(highs, lows, days, _days_of(runs, oldest))


def write_merged(runs: Sequence[Keys], oldest: int, kind: str, path: Path) -> Run:
    """The same in a file, by blocks, so that memory stays bounded; durable when it returns."""
    days_of = _days_of(runs, oldest)
    count = days_of.total()
    done = 0
    with replacing(path) as temporary, temporary.open("wb") as file:
        for highs, lows, days in _blocks(runs, oldest):
            file.seek(_HALF.itemsize * done)
            file.write(highs.data)
            file.seek(_HALF.itemsize * (count + done))
            file.write(lows.data)
            file.seek(2 * _HALF.itemsize * count + _DAY.itemsize * done)
            file.write(days.data)
            done += len(highs)
    return Run(path.name, kind, count, {str(day): days_of[day] for day in sorted(days_of)})


def _days_of(runs: Sequence[Keys], oldest: int) -> Counter[int]:
    days_of = Counter[int]()
    for run in runs:
        days_of.update({day: count for day, count in run.days_of.items() if day >= oldest})
    return days_of


def _blocks(runs: Sequence[Keys], oldest: int) -> Iterator[tuple[Halves, Halves, Days]]:
    """All keys in order, some at a time: what lies between two of the largest run's."""
    largest = max(runs, key=len)
    pivots = largest.highs[_BLOCK_KEYS::_BLOCK_KEYS]
    ends = [[*np.searchsorted(run.highs, pivots).tolist(), len(run)] for run in runs]
    starts = [0] * len(runs)
    for block_ends in zip(*ends, strict=True):
        spans = zip(runs, starts, block_ends, strict=True)
        yield _in_order([run.block(start, end) for run, start, end in spans], oldest)
        starts = list(block_ends)


def _in_order(
    blocks: Sequence[tuple[Halves, Halves, Days]], oldest: int
) -> tuple[Halves, Halves, Days]:
    highs, lows, days = (np.concatenate(arrays) for arrays in zip(*blocks, strict=True))
    order = np.argsort(highs, kind="stable")  # quick where sorted runs follow each other
    order = order[days[order] >= oldest]
    return highs[order], lows[order], days[order]
