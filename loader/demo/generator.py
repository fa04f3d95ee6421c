"""Writes a month of events as NDJSON: the same bytes for the same seed, number and chunk size.

Each chunk follows from the seed and its own number, so chunks can be made by several processes. The
file is in the order of receivedAt; sessions of devices that were offline carry older timestamps.
Beside it stands `<file>.manifest.json`, which tells how much of everything was planted (duplicates,
violations by kind, torn lines, …), so that a loader can be checked against it.
"""

import argparse
import gzip
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from loader.demo.calls import Call, write_call
from loader.demo.clock import MONTH_SECONDS, MONTH_START
from loader.demo.population import Population
from loader.demo.sessions import Stretch, draw_calls, random_of

CHUNK_EVENTS = 50_000
_OWN, _RESENT = 0, 1  # streams: what comes once, what comes again in the next chunk


class Task(NamedTuple):
    """What a worker needs to make one chunk."""

    seed: int
    events: int  # in the whole file
    chunk: int
    chunk_events: int
    chunks: int
    gzip_level: int | None


class Chunk(NamedTuple):
    """One chunk as it goes to the file, and what was planted in it."""

    data: bytes
    raw_bytes: int
    planted: Counter[str]


def generate(
    out: Path,
    events: int,
    *,
    seed: int = 7,
    chunk_events: int = CHUNK_EVENTS,
    jobs: int = 1,
    gzip_level: int = 1,
) -> dict[str, int]:
    """Write `events` events, cut to whole chunks, to `out` (gzipped if named .gz); its manifest."""
    size = min(chunk_events, events)
    chunks = max(1, events // size)
    level = gzip_level if out.suffix == ".gz" else None
    tasks = [Task(seed, events, chunk, size, chunks, level) for chunk in range(chunks)]
    planted: Counter[str] = Counter()
    raw_bytes = 0
    with out.open("wb") as file:
        for made in _make_all(tasks, jobs):
            file.write(made.data)
            raw_bytes += made.raw_bytes
            planted.update(made.planted)
    population = Population(seed, events)
    manifest = {
        "unique": planted["events"] - planted["duplicates"],
        "bytes_raw": raw_bytes,
        "bytes_file": out.stat().st_size,
        "seed": seed,
        "chunk": size,
        "users": population.users,
        "devices": population.devices,
        **planted,
    }
    text = json.dumps(manifest, indent=1, sort_keys=True)
    out.with_name(out.name + ".manifest.json").write_text(text, encoding="utf-8")
    return manifest


def _make_all(tasks: Iterable[Task], jobs: int) -> Iterator[Chunk]:
    if jobs <= 1:
        yield from map(make_chunk, tasks)
        return
    with ProcessPoolExecutor(jobs) as workers:
        yield from workers.map(make_chunk, tasks)


def make_chunk(task: Task) -> Chunk:
    """One chunk: its own events, retries of some, and the previous chunk's that come again here."""
    population = Population(task.seed, task.events)
    planted: Counter[str] = Counter()
    resent = task.chunk_events // 1000
    arriving = resent if task.chunk else 0
    retried = task.chunk_events // 100 - arriving
    here = _stretch(task, task.chunk, _OWN)
    rng = random_of(population, here)

    own = _write(population, here, task.chunk_events - retried - resent - arriving, rng, planted)
    leaving = _write_resent(population, task, task.chunk, resent, planted)
    calls = own + leaving + _retry(own, retried, here, rng)
    if arriving:
        again = _write_resent(population, task, task.chunk - 1, arriving, Counter())
        calls += _spread(again, here)
    calls.sort(key=lambda call: call.received_at)
    lines = [call.head + call.tail for call in calls]
    torn = max(1, task.chunk_events // 10_000)
    _tear(lines, torn, rng)

    planted.update(events=len(calls), duplicates=retried + arriving, malformed=torn)
    raw = "".join(lines).encode()
    level = task.gzip_level
    data = raw if level is None else gzip.compress(raw, level, mtime=0)
    return Chunk(data, len(raw), planted)


def _stretch(task: Task, chunk: int, stream: int) -> Stretch:
    starts_at = MONTH_START + MONTH_SECONDS * chunk / task.chunks
    ends_at = MONTH_START + MONTH_SECONDS * (chunk + 1) / task.chunks
    return Stretch(chunk, stream, starts_at, ends_at)


def _write(
    population: Population,
    stretch: Stretch,
    count: int,
    rng: np.random.Generator,
    planted: Counter[str],
) -> list[Call]:
    draws = draw_calls(population, stretch, count, rng)
    return [write_call(draw, population, planted) for draw in draws]


def _write_resent(
    population: Population, task: Task, chunk: int, count: int, planted: Counter[str]
) -> list[Call]:
    """The events of `chunk` that are sent once more during the chunk after it."""
    stretch = _stretch(task, chunk, _RESENT)
    return _write(population, stretch, count, random_of(population, stretch), planted)


def _retry(calls: list[Call], count: int, stretch: Stretch, rng: np.random.Generator) -> list[Call]:
    """Some of `calls` again, received up to ten minutes later."""
    chosen = (rng.random(count) * len(calls)).astype(int).tolist()
    lags = rng.random(count).tolist()
    latest = stretch.ends_at - 0.0005
    return [
        calls[place].again(min(calls[place].received_at + 1 + 600 * lag, latest))
        for place, lag in zip(chosen, lags, strict=True)
    ]


def _spread(calls: list[Call], stretch: Stretch) -> list[Call]:
    """`calls` again, evenly over the stretch."""
    width = stretch.ends_at - stretch.starts_at
    return [
        call.again(stretch.starts_at + width * (place + 0.5) / len(calls))
        for place, call in enumerate(calls)
    ]


def _tear(lines: list[str], count: int, rng: np.random.Generator) -> None:
    """Insert the beginnings of some lines before them, as a writer that was killed leaves them."""
    for place in (rng.random(count) * len(lines)).astype(int).tolist():
        line = lines[place]
        lines.insert(place, line[: 40 + int(len(line) * 0.3)].rstrip("\n") + "\n")


def _main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m loader.demo.generator")
    parser.add_argument("--events", type=int, default=100_000, help="cut to whole chunks")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True, help="FILE.ndjson or FILE.ndjson.gz")
    parser.add_argument("--chunk", type=int, default=CHUNK_EVENTS, help="events in one chunk")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--gzip-level", type=int, default=1)
    given = parser.parse_args(arguments)
    manifest = generate(
        given.out,
        given.events,
        seed=given.seed,
        chunk_events=given.chunk,
        jobs=given.jobs,
        gzip_level=given.gzip_level,
    )
    sys.stdout.write(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    _main(sys.argv[1:])
