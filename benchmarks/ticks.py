"""Small loads one after another in one process, as `headwater run --every 5s` makes them.

python -m benchmarks.ticks [--loads 30] [--events 2000]
"""

import argparse
import gzip
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from typing import IO

from benchmarks.load import input_file
from loader.cli.arrow import start_without_pandas
from loader.demo.workspace import make_workspace
from loader.load import load_files

_KNOWN_EVENTS = 100_000  # loaded before: tables and columns are there, as in a running workspace


def main(arguments: Sequence[str] | None = None) -> None:
    """Load batch after batch, and print what one took."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.ticks")
    parser.add_argument("--loads", type=int, default=30)
    parser.add_argument("--events", type=int, default=2_000, help="in each load")
    given = parser.parse_args(arguments)
    start_without_pandas()
    file, _ = input_file(200_000, seed=7)
    cpu, wall, tables = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        workspace = make_workspace(Path(folder, "workspace"))
        with gzip.open(file) as lines:
            load_files(workspace, [_write(lines, _KNOWN_EVENTS, Path(folder, "known.ndjson"))])
            paths = (Path(folder, f"{number}.ndjson") for number in range(given.loads))
            batches = [_write(lines, given.events, path) for path in paths]
        for batch in batches:
            started, started_cpu = time.perf_counter(), time.process_time()
            report = load_files(workspace, [batch])
            wall.append(time.perf_counter() - started)
            cpu.append(time.process_time() - started_cpu)
            tables.append(len(report.tables))
    print(
        f"{given.loads} loads of {given.events:,} events into {median(tables):.0f} tables, medians:"
        f" {median(cpu) * 1e3:.0f} ms CPU, {median(wall) * 1e3:.0f} ms wall"
    )


def _write(lines: IO[bytes], events: int, path: Path) -> str:
    """The next lines, so many, in a file of their own; its name."""
    path.write_bytes(b"".join(islice(lines, events)))
    return str(path)


if __name__ == "__main__":
    main()
