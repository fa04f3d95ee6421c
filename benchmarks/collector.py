"""The collector, which makes every event durable, against nginx answering 200 with no work.

python -m benchmarks.collector [--seconds 10] [--events 1000000]
"""

import argparse
import gzip
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.planted import check
from benchmarks.processes import cpu_seconds, peak_bytes
from loader.config import Workspace
from loader.spool import delete_segments, read_spool, seal_all, sealed_segments

_CONTENDERS = Path(__file__).parent / "contenders"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "headwater-bench"
_CONNECTIONS = 64
_ROUNDS = 3
_BATCH = 20
_SETTINGS = {
    "sources": {"server": {"write_key": "wk_server"}},
    "collector": {"spool_megabytes": 1_000_000},  # what a round leaves is removed after it
}


@dataclass(frozen=True)
class Server:
    """Somebody who answers on a port of this machine."""

    process: subprocess.Popen[str]
    url: str
    spool: Path | None = None  # where what it acknowledged has to be found


@dataclass(frozen=True)
class Traffic:
    """What is posted: to where, which bytes, how encoded, and how many events that is."""

    name: str
    path: str
    body: bytes
    encoding: str
    events: int


@dataclass(frozen=True)
class Round:
    """What one run of wrk measured."""

    requests: int
    requests_per_second: float
    cpu_microseconds: float
    p99_milliseconds: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Alternate between nginx and the collector, check what was stored, print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.collector")
    parser.add_argument("--seconds", type=int, default=10, help="of each round")
    parser.add_argument("--events", type=int, default=1_000_000, help="of the look at memory")
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args(arguments)
    missing = [name for name in ("nginx", "wrk") if shutil.which(name) is None]
    if missing:
        sys.exit(f"not on this machine: {', '.join(missing)}. Fix: apt-get install nginx wrk")
    _CACHE.mkdir(parents=True, exist_ok=True)
    # Not in the usual place for temporary files: that may be memory, where nothing is ever durable.
    with tempfile.TemporaryDirectory(dir=_CACHE) as folder:
        place = Path(folder)
        with serve_nginx(place) as nginx, serve_collector(place, given.workers) as collector:
            print_table(measure_all(nginx, collector, given.seconds, place))
        with serve_collector(place, given.workers) as collector:
            print_memory(collector, given.seconds, given.events, place)


def measure_all(
    nginx: Server, collector: Server, seconds: int, folder: Path
) -> dict[str, tuple[list[Round], list[Round]]]:
    """For each kind of traffic the rounds of nginx and those of the collector."""
    kinds = traffics()
    rounds: dict[str, tuple[list[Round], list[Round]]] = {kind.name: ([], []) for kind in kinds}
    for kind in kinds:
        for server in (nginx, collector):
            post(server, kind, 1, folder)  # warms up, and is not counted
    for _ in range(_ROUNDS):
        for kind in kinds:
            for server, kept in zip((nginx, collector), rounds[kind.name], strict=True):
                kept.append(post(server, kind, seconds, folder))
    return rounds


def traffics() -> list[Traffic]:
    """Batches of 20 as a Node server sends them, the same compressed, and one event a request."""
    events = [event(number) for number in range(_BATCH)]
    batch = json.dumps({"batch": events, "sentAt": "2026-01-01T00:00:01.000Z"}).encode()
    single = json.dumps(events[0]).encode()
    return [
        Traffic(f"batches of {_BATCH}", "/v1/batch", batch, "", _BATCH),
        Traffic("the same, gzip", "/v1/batch", gzip.compress(batch, 6), "gzip", _BATCH),
        Traffic("single events", "/v1/track", single, "", 1),
    ]


def event(number: int) -> dict[str, object]:
    """An order as analytics-node sends it, of about 850 bytes."""
    chance = random.Random(number)
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": f"usr_{chance.getrandbits(32)}",
        "messageId": f"node-next-17672256{number:05}-{uuid.UUID(int=chance.getrandbits(128))}",
        "timestamp": f"2026-01-01T00:00:00.{number:03}Z",
        "properties": {
            "order_id": f"O-{chance.getrandbits(40)}",
            "total": chance.randrange(1_000, 50_000),
            "currency": "RUB",
            "coupon": f"WINTER-{chance.getrandbits(32):08x}",
            "products": [
                {
                    "product_id": f"SKU-{chance.getrandbits(24)}",
                    "name": "Plan, a year",
                    "price": price,
                }
                for price in (4_800, 990, 12_400)
            ],
        },
        "context": {
            "ip": f"203.0.113.{chance.randrange(255)}",
            "sessionId": f"{chance.getrandbits(128):032x}",
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0.0.0",
            "library": {"name": "@segment/analytics-node", "version": "3.1.0"},
        },
        "integrations": {},
        "_metadata": {"nodeVersion": "20.18.1", "jsRuntime": "node"},
    }


def post(server: Server, kind: Traffic, seconds: int, folder: Path) -> Round:
    """One run of wrk; ends the benchmark if a request failed or an event is not in the spool."""
    file = folder / "body"
    file.write_bytes(kind.body)
    command = ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{seconds}s", "-s", _CONTENDERS / "wrk.lua"]
    cpu_before = cpu_seconds(server.process.pid)
    ended = subprocess.run(
        [*command, server.url + kind.path, "--", file, kind.encoding],
        capture_output=True,
        text=True,
        check=False,
    )
    cpu = cpu_seconds(server.process.pid) - cpu_before
    found = [line.split()[1:] for line in ended.stdout.splitlines() if line.startswith("done ")]
    if not found:
        sys.exit(f"wrk: {ended.stderr}{ended.stdout}")
    requests, microseconds, p99, errors = map(int, found[0])
    check(f"{kind.name}: requests that failed", errors, 0)
    if server.spool is not None:
        # wrk leaves without waiting for what is under way, or reading what was answered last: each
        # connection may have stored two more.
        events = range(requests * kind.events, (requests + 2 * _CONNECTIONS) * kind.events + 1)
        check(f"{kind.name}: events in the spool", take_events(server.spool), events)
    return Round(requests, requests / (microseconds / 1e6), cpu / requests * 1e6, p99 / 1e3)


def take_events(spool: Path) -> int:
    """How many events lie in the spool in lines that are whole; removes them, as a load does."""
    seal_all(spool)
    segments = sealed_segments(spool)
    count = 0
    for line in read_spool(segments):
        if line.envelope is not None:
            found = msgspec.json.decode(line.envelope.body)
            count += len(found.get("batch", [found]))
    delete_segments(spool, [segment.key for segment in segments])
    return count


@contextmanager
def serve_nginx(folder: Path) -> Iterator[Server]:
    """nginx with one worker, as this user."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    text = (_CONTENDERS / "nginx_floor.conf").read_text()
    config = folder / "nginx.conf"
    config.write_text(text.replace("FOLDER", str(folder)).replace("PORT", str(port)))
    as_user = ["-g", "user root;"] if os.geteuid() == 0 else []
    process = subprocess.Popen(
        ["nginx", "-p", folder, "-e", folder / "error.log", "-c", config, *as_user], text=True
    )
    with _ending(process):
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except ConnectionRefusedError:
                continue
            break
        else:
            sys.exit(f"nginx ended: {(folder / 'error.log').read_text()}")
        yield Server(process, f"http://127.0.0.1:{port}")


@contextmanager
def serve_collector(folder: Path, workers: int) -> Iterator[Server]:
    """`headwater collect` as a user starts it."""
    workspace = Workspace(folder / "workspace")
    workspace.root.mkdir(exist_ok=True)
    (workspace.root / "headwater.yml").write_text(json.dumps(_SETTINGS))  # which is YAML, too
    options = ["--workspace", workspace.root, "--port", "0", "--workers", str(workers)]
    process = subprocess.Popen(
        [sys.executable, "-m", "loader.cli", "collect", *options], stderr=subprocess.PIPE, text=True
    )
    with _ending(process):
        for line in process.stderr or ():
            if line.startswith("collect.ready"):
                yield Server(process, line.split("url=")[1].split()[0], workspace.spool)
                return
        sys.exit("the collector did not start")


@contextmanager
def _ending(process: subprocess.Popen[str]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def print_table(measured: dict[str, tuple[list[Round], list[Round]]]) -> None:
    """Medians of the rounds; CPU is what the server spent on a request."""
    print(f"{_CONNECTIONS} connections, the median of {_ROUNDS} rounds; every event durable")
    print(
        f"{'':18}{'nginx/s':>9}{'ours/s':>9}{'/ nginx':>9}{'/ plain':>9}{'CPU us':>8}{'p99 ms':>8}"
    )
    plain = None
    for name, (floor, ours) in measured.items():
        rate = median(one.requests_per_second for one in ours)
        at_floor = median(one.requests_per_second for one in floor)
        plain = plain or rate
        cpu = median(one.cpu_microseconds for one in ours)
        p99 = median(one.p99_milliseconds for one in ours)
        print(
            f"{name:18}{at_floor:9,.0f}{rate:9,.0f}{rate / at_floor:9.2f}{rate / plain:9.2f}"
            f"{cpu:8.0f}{p99:8.1f}"
        )


def print_memory(collector: Server, seconds: int, wanted: int, folder: Path) -> None:
    """The largest resident size of any process early on, and after `wanted` events."""
    batches = traffics()[0]
    posted, early = 0, 0
    while posted < wanted:
        posted += post(collector, batches, min(seconds, 2), folder).requests * _BATCH
        early = early or peak_bytes(collector.process.pid)
    peak = peak_bytes(collector.process.pid)
    print(f"peak MB: {early / 1e6:.0f} early on, {peak / 1e6:.0f} after {posted:,} events")


if __name__ == "__main__":
    main()
