"""Ids seen, as sorted files of 128-bit keys: 18 bytes an id, forgotten by the day.

A run is one file: its keys in order, then the day on which each was loaded. New keys come as a
run of their own; runs of like size are merged, so that a look-up asks only a few. Which runs count
is in the manifest, so ids are committed in the same instant as the events that bear them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from hashlib import md5
from pathlib import Path

import numpy as np
import numpy.typing as npt

from loader.durable import replacing

Keys = npt.NDArray[np.bytes_]  # S16
Days = npt.NDArray[np.uint16]  # days since _EPOCH

_EPOCH = date(2020, 1, 1)
_KEY_BYTES = 16
_MERGE_RATIO = 4  # a run is merged with the next when that is less than so many times larger


@dataclass(frozen=True, slots=True)
class Run:
    """One file of keys of one kind, `accepted` or `blocked`; `file` is its name."""

    file: str
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class _Sorted:
    keys: Keys
    days: Days
    run: Run | None = None  # None: in memory only


def keys_of(texts: Iterable[str]) -> Keys:
    """The 128-bit keys of ids.

    MD5 serves: who can send events could take another's id itself, so nothing is gained by finding
    a second text for a key, and two ids that differ by chance never share one.
    """
    digests = b"".join(
        [md5(t.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest() for t in texts]
    )
    return np.frombuffer(digests, dtype=f"S{_KEY_BYTES}")


class IdIndex:
    """The ids of one kind that were loaded within the last `dedupe_days` days."""

    def __init__(
        self, folder: Path, kind: str, runs: Iterable[Run], *, today: date, dedupe_days: int
    ) -> None:
        self._folder = folder
        self._kind = kind
        self._today = (today - _EPOCH).days
        self._oldest = max(0, self._today - dedupe_days)
        self._sorted = [_open(folder / run.file, run) for run in runs if run.kind == kind]

    def contains(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """For each key, whether it was added within the window."""
        found = np.zeros(len(keys), dtype=bool)
        for part in self._sorted:
            if len(part.keys) == 0:
                continue
            at = np.minimum(np.searchsorted(part.keys, keys), len(part.keys) - 1)
            found |= (part.keys[at] == keys) & (part.days[at] >= self._oldest)
        return found

    def add(self, keys: Keys) -> None:
        """Remember `keys` (none of which is contained) as loaded today."""
        if len(keys) == 0:
            return
        days = np.full(len(keys), self._today, dtype=np.uint16)
        self._sorted.append(_Sorted(np.sort(keys), days))
        while len(self._sorted) > 1 and self._should_merge():
            newer, older = self._sorted.pop(), self._sorted.pop()
            self._sorted.append(self._merge(older, newer))

    def save(self, load_id: int) -> list[Run]:
        """Write what is new; the runs that the manifest shall list from now on."""
        runs = []
        for number, part in enumerate(self._sorted):
            if part.run is not None:
                runs.append(part.run)
            elif len(part.keys):
                run = Run(f"{self._kind}-{load_id}-{number}.ids", self._kind, len(part.keys))
                _write(self._folder / run.file, part)
                runs.append(run)
        return runs

    def _should_merge(self) -> bool:
        older, newer = self._sorted[-2], self._sorted[-1]
        return len(older.keys) < _MERGE_RATIO * len(newer.keys)

    def _merge(self, older: _Sorted, newer: _Sorted) -> _Sorted:
        keys = np.concatenate([older.keys, newer.keys])
        days = np.concatenate([older.days, newer.days])
        order = np.argsort(keys, kind="stable")
        keys, days = keys[order], days[order]
        is_kept = days >= self._oldest
        is_kept[:-1] &= keys[:-1] != keys[1:]  # of a key that came back, the newer day
        return _Sorted(keys[is_kept], days[is_kept])


def _open(path: Path, run: Run) -> _Sorted:
    keys = np.memmap(path, dtype=f"S{_KEY_BYTES}", mode="r", shape=(run.count,))
    offset = run.count * _KEY_BYTES
    days = np.memmap(path, dtype=np.uint16, mode="r", offset=offset, shape=(run.count,))
    return _Sorted(keys, days, run)


def _write(path: Path, part: _Sorted) -> None:
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(part.keys.tobytes())
        file.write(part.days.tobytes())
