"""Ids seen, as sorted runs of 128-bit keys: 18 bytes an id, forgotten by the day.

New keys are gathered in memory. Once they are many, and at the end of a load, they are written as a
run and merged with the runs before them that are no larger, so that a look-up asks only a few and
a key is seldom written again. A run whose keys are past the window by more than a quarter is
written anew without them: so a live id takes 24 bytes at most. Which runs count is in the manifest,
so ids are committed in the same instant as the events that bear them; a file that it doesn't list
belongs to a load that was killed, and is swept up.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from hashlib import md5
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from loader.ledger.runs import Halves, Keys, Run, merge, read_run, write_merged

Digests = npt.NDArray[np.bytes_]  # S16

_EPOCH = date(2020, 1, 1)
DIGEST: Final = np.dtype("S16")
_MAX_IN_MEMORY: Final = 1 << 19  # keys; ten megabytes
_MAX_EXPIRED: Final = 0.25  # of a run's keys


def keys_of(texts: Iterable[str]) -> Digests:
    """The 128-bit keys of ids.

    MD5 serves: who can send events could take another's id itself, so nothing is gained by finding
    a second text for a key, and two ids that differ by chance never share one.
    """
    digests = b"".join(
        [md5(t.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest() for t in texts]
    )
    return np.frombuffer(digests, dtype=DIGEST)


class IdIndex:
    """The ids of one kind that were loaded within the last `dedupe_days` days."""

    def __init__(
        self,
        folder: Path,
        kind: str,
        runs: Iterable[Run],
        *,
        load_id: int,
        today: date,
        dedupe_days: int,
    ) -> None:
        self._folder = folder
        self._kind = kind
        self._load_id = load_id
        self._today = (today - _EPOCH).days
        self._oldest = max(0, self._today - dedupe_days)
        self._stored = [(run, read_run(folder, run)) for run in runs if run.kind == kind]
        self._written: list[Path] = []  # by this load
        self._fresh: list[Keys] = []

    def contains(self, keys: Digests) -> npt.NDArray[np.bool_]:
        """For each key, whether it was added within the window."""
        highs, lows = _halves(keys)
        found = np.zeros(len(keys), dtype=bool)
        order = np.argsort(highs)  # neighbours lie on one page
        highs, lows = highs[order], lows[order]
        for part in self._parts():
            found[order] |= part.contain(highs, lows, self._oldest)
        return found

    def add(self, keys: Digests) -> None:
        """Remember `keys` (none of which is contained) as loaded today."""
        if len(keys) == 0:
            return
        highs, lows = _halves(keys)
        order = np.argsort(highs)
        days = np.full(len(keys), self._today, dtype=np.uint16)
        self._fresh.append(Keys(highs[order], lows[order], days, {self._today: len(keys)}))
        if sum(map(len, self._fresh)) >= _MAX_IN_MEMORY:
            self._store()
            return
        due = self._due(self._fresh)
        if due < len(self._fresh) - 1:
            self._fresh[due:] = [merge(self._fresh[due:], self._oldest)]

    def save(self) -> list[Run]:
        """Write what is new; the runs that the manifest shall list from now on."""
        self._store()
        return [run for run, _ in self._stored]

    def _parts(self) -> list[Keys]:
        return [*(keys for _, keys in self._stored), *self._fresh]

    def _store(self) -> None:
        """Write what is in memory, and what is due, as one run; drop runs that are all expired."""
        self._stored = [found for found in self._stored if found[1].live(self._oldest)]
        parts = self._parts()
        unwritten = [place for place, part in enumerate(parts) if part.path is None]
        due = min([self._due(parts), *unwritten])
        if due == len(parts):
            return
        number = len(self._written)
        path = self._folder / f"{self._kind}-{self._load_id}-{number}.keys"
        run = write_merged(parts[due:], self._oldest, self._kind, path)
        for _, merged in self._stored[due:]:
            if merged.path in self._written:  # in no manifest
                merged.path.unlink()
        self._written.append(path)
        self._stored[due:] = [(run, read_run(self._folder, run))]
        self._fresh = []

    def _due(self, parts: Sequence[Keys]) -> int:
        """From which of `parts` on all shall be one; their number, if none is due."""
        due, newer = len(parts), 0
        for place in range(len(parts) - 1, -1, -1):
            part = parts[place]
            is_stale = part.live(self._oldest) < (1 - _MAX_EXPIRED) * len(part)
            if is_stale or len(part) <= newer:
                due = place
            newer += len(part)
        return due


def _halves(keys: Digests) -> tuple[Halves, Halves]:
    pairs = keys.view(">u8").reshape(-1, 2)
    return pairs[:, 0].astype(np.uint64), pairs[:, 1].astype(np.uint64)
