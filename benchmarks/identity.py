"""Identity against its peers: components, what is new against all anew, events one by one.

python -m benchmarks.identity [components|increment|rules|extremes]... [--scale 1.0]
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import numpy as np

from benchmarks import graphs
from benchmarks.environments import GRAPHS, python_with
from benchmarks.load import CACHE
from benchmarks.measure import run
from benchmarks.modelled import ROOT, build_components, build_identity

_CONTENDERS = Path(__file__).parent / "contenders"
_ROUNDS, _MANY = 3, 5_000_000  # of so many links one round is enough


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is named, or all of it; each checks its results before it prints."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.identity")
    parser.add_argument("parts", nargs="*", choices=[*_PARTS, []])
    parser.add_argument("--scale", type=float, default=1.0)
    given = parser.parse_args(arguments)
    for name in given.parts or _PARTS:
        _PARTS[name](given.scale)


def components(scale: float) -> None:
    """The macro on a DuckDB file, by dbt, against scipy and Splink: time, memory beyond idle."""
    python = python_with(GRAPHS, CACHE / "graphs")
    if python is None:
        raise SystemExit("scipy and Splink can't be had")
    print("components of             scipy s  ours/scipy  Splink/ours  MB: scipy    ours")
    for name, make, links in (
        ("1 M links, of people", graphs.identity_links, 1e6),
        ("kiosk of 100,000", graphs.kiosk, 1e5),
        ("path of 1,000,000", graphs.path, 1e6),
        ("10 M links, of people", graphs.identity_links, 1e7),
    ):
        with tempfile.TemporaryDirectory() as folder:
            database = Path(folder) / "warehouse.duckdb"
            told = _compare_components(database, python, make, int(links * scale))
        print(f"{name:23}{told}", flush=True)


def _compare_components(
    database: Path, python: Path, make: Callable[[int], graphs.Links], links: int
) -> str:
    _in_child(graphs.store_links, database, graphs.path, 10)
    idle = build_components(database).cost.peak_bytes
    _in_child(graphs.store_links, database, make, links)
    its, ours = [], []
    for _ in range(_ROUNDS if links < _MANY else 1):
        its.append(_contend(python, "with_scipy.py", database))
        ours.append(build_components(database))
    _check_equal(database, "analytics.roots", "bench.scipy_roots")
    scipy = median(run["seconds"] for run in its)
    own = median(build.seconds["roots"] for build in ours)
    slower = "-"
    if make is not graphs.path:  # of which Splink takes a round for each node
        splink = _contend(python, "with_splink.py", database)
        _check_equal(database, "analytics.roots", "bench.splink_roots")
        slower = f"{splink['seconds'] / own:.1f}"
    megabytes = (its[0]["bytes"] / 1e6, (ours[0].cost.peak_bytes - idle) / 1e6)
    return f"{scipy:10.2f}{own / scipy:12.1f}{slower:>13}{megabytes[0]:11,.0f}{megabytes[1]:8,.0f}"


def increment(scale: float) -> None:
    """100,000 new links on ten million: the models for what is new, against all of them anew."""
    every, new = int(1e7 * scale), int(1e5 * scale)
    people, things = graphs.identity_links(every + new)
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "warehouse.duckdb"
        graphs.empty_warehouse(database)
        graphs.store_calls(database, 1, user_id=people[:every], anonymous_id=things[:every])
        build_identity(database)
        graphs.store_calls(database, 2, user_id=people[every:], anonymous_id=things[every:])
        part = build_identity(database)
        found = _profiles(database)
        whole = build_identity(database, full_refresh=True)
        assert found == _profiles(database), "a full refresh gives other profiles"
    print(
        f"{new:,} new links on {every:,}: {part.identity_seconds:.1f} s,"
        f" all anew {whole.identity_seconds:.1f} s:"
        f" {whole.identity_seconds / part.identity_seconds:.1f} times faster"
        f" (with dbt itself {whole.cost.wall_seconds / part.cost.wall_seconds:.1f})"
    )


def rules(scale: float) -> None:
    """Events that break limits everywhere: the models against the rules applied one by one."""
    events = int(1.5e6 * scale)
    _compare_rules(f"{events:,} events, limits broken everywhere", graphs.crowded_calls(events))


def extremes(scale: float) -> None:
    """The worst shapes: one device for all, and a chain in its order."""
    nodes = np.arange(int(1e5 * scale))
    _compare_rules(
        f"kiosk of {len(nodes):,}", {"user_id": nodes, "anonymous_id": np.zeros_like(nodes)}
    )
    links = np.arange(int(1e6 * scale))
    _compare_rules(
        f"path of {len(links):,} in order of arrival",
        {"anonymous_id": (links + 1) // 2, "email": links // 2},
    )


def _compare_rules(name: str, calls: dict[str, graphs.Nodes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "warehouse.duckdb"
        graphs.empty_warehouse(database)
        graphs.store_calls(database, 1, **calls)
        build = build_identity(database)
        told = _contend(Path(sys.executable), "one_by_one.py", database)
        _check_equal(database, "bench.users", f"({_USERS})")
        merges = _count(database, "analytics.int_identity_log where kind = 'merge'")
        assert merges == told["merges"], f"{merges} merges where the rules make {told['merges']}"
    print(
        f"{name}: {build.identity_seconds:.1f} s; one by one {told['seconds']:.1f} s,"
        f" of which the rules {told['rules']:.1f} s: {build.identity_seconds / told['seconds']:.2f}"
        f" of its time ({told['merges']:,} merges, {told['demoted']:,} identifiers demoted)",
        flush=True,
    )


_USERS = """
    select identifiers.type, identifiers.value, owners.canonical_user_id
    from analytics.int_identifiers as identifiers
    inner join analytics.int_canonical_ids as owners on owners.node = identifiers.node
"""
_PARTS: dict[str, Callable[[float], None]] = {
    "components": components,
    "increment": increment,
    "rules": rules,
    "extremes": extremes,
}


def _in_child(function: Callable[..., None], *given: object) -> None:
    """A child's peak counts what its parent held at its start, so this process stays small."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
        child.submit(function, *given).result()


def _contend(python: Path, script: str, database: Path) -> dict[str, Any]:
    command = [str(python), str(_CONTENDERS / script), str(database)]
    cost = run(command, {"PYTHONPATH": str(ROOT)})
    if cost.exit_code:
        raise SystemExit(f"{script} failed")
    return json.loads(cost.output.splitlines()[-1])


def _check_equal(database: Path, one: str, other: str) -> None:
    with duckdb.connect(database, read_only=True) as connection:
        for here, there in ((one, other), (other, one)):
            missing = f"select * from {here} except select * from {there}"
            found = connection.execute(f"select * from ({missing}) limit 3").fetchall()
            assert not found, f"of {here}, {there} has not {found}"


def _profiles(database: Path) -> tuple[Any, ...]:
    """A digest of who has which identifiers."""
    with duckdb.connect(database, read_only=True) as connection:
        return connection.execute(
            f"select count(*), sum(hash(type, value, canonical_user_id)::hugeint) from ({_USERS})"
        ).fetchall()[0]


def _count(database: Path, rows: str) -> int:
    with duckdb.connect(database, read_only=True) as connection:
        return connection.execute(f"select count(*) from {rows}").fetchall()[0][0]


if __name__ == "__main__":
    main()
