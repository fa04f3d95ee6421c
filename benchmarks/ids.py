"""What it costs to remember ids and to look them up: CPU, memory and disk, at a number of ids."""

import argparse
import shutil
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from loader.ledger import IdIndex, Run

_STATUS = Path("/proc/self/status")


def main() -> None:
    """Print it for ids that come a block at a time, as loads bring them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--ids", type=int, default=10_000_000)
    options.add_argument("--block", type=int, default=1_000)
    chosen = options.parse_args()
    folder = Path(tempfile.mkdtemp(dir=Path.home()))
    try:
        _measure(folder, chosen.ids, chosen.block)
    finally:
        shutil.rmtree(folder)


def _measure(folder: Path, ids: int, block: int) -> None:
    random = np.random.default_rng(7)

    def keys() -> np.ndarray:
        return np.frombuffer(random.bytes(16 * block), dtype="S16")

    def cost_of(index: IdIndex, count: int, *, adding: bool) -> float:
        """Microseconds of CPU an id."""
        spent = 0
        for _ in range(count // block):
            some = keys()
            began = time.process_time_ns()
            index.contains(some)
            if adding:
                index.add(some)
            spent += time.process_time_ns() - began
        return spent / 1000 / count

    today = datetime.now(UTC).date()
    index = _open(folder, [], today)
    added = cost_of(index, ids, adding=True)
    began = time.process_time()
    runs = index.save()
    saved = time.process_time() - began
    looked_up = cost_of(_open(folder, runs, today), min(ids, 500_000), adding=False)
    stored = sum(file.stat().st_size for file in folder.iterdir())
    memory = dict(line.split(":") for line in _STATUS.read_text().splitlines())
    print(
        f"{ids:,} ids, {block:,} at a time: {added:.2f} µs of CPU each to look up and add,"
        f" {saved:.2f} s to save, then {looked_up:.2f} µs a look-up in {len(runs)} files;"
        f" {stored / ids:.1f} bytes an id; peak {memory['VmHWM'].strip()}"
        f" (of now: {memory['RssAnon'].strip()} our own, {memory['RssFile'].strip()} mapped files)"
    )


def _open(folder: Path, runs: list[Run], today: date) -> IdIndex:
    return IdIndex(folder, "accepted", runs, load_id=1, today=today, dedupe_days=30)


if __name__ == "__main__":
    main()
