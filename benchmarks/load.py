"""Loading against its floor (DuckDB reads the file and checks nothing) and against dlt.

python -m benchmarks.load [--events 1000000]
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import duckdb

from benchmarks.dlt_environment import python_with_dlt
from benchmarks.measure import Cost, run
from loader.demo.generator import generate
from loader.demo.workspace import make_workspace

_CONTENDERS = Path(__file__).parent / "contenders"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "headwater-bench"
_CALL_TABLES = ("tracks", "identifies", "pages", "screens", "groups", "aliases")

Manifest = dict[str, int]
Contender = Callable[[Path, Manifest, Path], Cost | None]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every contender once, check what it stored, print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.load")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args(arguments)
    file, planted = input_file(given.events, given.seed)
    contenders: dict[str, Contender] = {
        "headwater load": load_with_headwater,
        "DuckDB read_json (floor)": load_with_duckdb,
        "dlt": partial(load_with_dlt, file_format="insert_values"),  # what it does by default
        "dlt by way of Parquet": partial(load_with_dlt, file_format="parquet"),
    }
    costs = {}
    for name, contend in contenders.items():
        with tempfile.TemporaryDirectory() as folder:
            costs[name] = contend(file, planted, Path(folder))
    megabytes = planted["bytes_raw"] / 1e6
    print(f"loading {planted['events']:,} events, {megabytes:,.0f} MB of JSON ({file.name})")
    print_table(costs)


def input_file(events: int, seed: int) -> tuple[Path, Manifest]:
    """The generated events, kept between runs, and what was planted in them."""
    file = _CACHE / f"events-{seed}-{events}.ndjson.gz"
    manifest = file.with_name(f"{file.name}.manifest.json")
    if not manifest.is_file():  # it is written last
        _CACHE.mkdir(parents=True, exist_ok=True)
        generate(file, events, seed=seed, jobs=os.cpu_count() or 1)
    return file, json.loads(manifest.read_text())


def load_with_headwater(file: Path, planted: Manifest, folder: Path) -> Cost:
    """`headwater load` into a new workspace with the contracts that the events break."""
    workspace = make_workspace(folder / "workspace")
    place = ("--workspace", str(workspace.root))
    cost = run([sys.executable, "-m", "loader.cli", "load", str(file), *place, "--json"])
    check("exit code", cost.exit_code, 3)  # some events were blocked
    report = json.loads(cost.output)
    check("events in", report["events_in"], planted["events"] + planted["malformed"])
    check("duplicates", report["duplicates"], planted["duplicates"])
    broken = sum(count for name, count in planted.items() if name.startswith("violation_"))
    good = planted["unique"] - broken
    # A stray name may belong to a contract's table, an event without ids may break one too.
    doubtful = planted.get("unplanned", 0) + planted.get("no_identity", 0)
    check("accepted", report["accepted"], range(good - doubtful, good + 1))
    with duckdb.connect(workspace.warehouse, read_only=True) as connection:
        ids = " union all ".join(f"select id from raw.{table}" for table in _CALL_TABLES)
        (stored,) = connection.execute(f"select count(distinct id) from ({ids})").fetchone()
    check("events in the raw tables", stored, report["accepted"])
    return cost


def load_with_duckdb(file: Path, planted: Manifest, folder: Path) -> Cost:
    """One table for all; a torn line becomes an empty row."""
    database = folder / "floor.duckdb"
    cost = run([sys.executable, str(_CONTENDERS / "duckdb_floor.py"), str(file), str(database)])
    check("exit code", cost.exit_code, 0)
    check("rows", rows_in(database), planted["events"] + planted["malformed"])
    return cost


def load_with_dlt(file: Path, planted: Manifest, folder: Path, *, file_format: str) -> Cost | None:
    """The same tables as ours, with every unique event in one of them; None without dlt."""
    python = python_with_dlt(_CACHE / "dlt")
    if python is None:
        return None
    database = folder / "dlt.duckdb"
    cost = run(
        [str(python), str(_CONTENDERS / "with_dlt.py"), str(file), str(database), file_format],
        {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "CRITICAL"},
    )
    check("exit code", cost.exit_code, 0)
    check("rows", rows_in(database), planted["unique"])
    return cost


def rows_in(database: Path) -> int:
    """The rows of all tables but those in which dlt keeps its books."""
    with duckdb.connect(database, read_only=True) as connection:
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where not starts_with(table_name, '_dlt')"
        ).fetchall()
        counts = [
            connection.execute(f'select count(*) from "{schema}"."{table}"').fetchone()[0]
            for schema, table in tables
        ]
    return sum(counts)


def check(what: str, found: int, wanted: int | range) -> None:
    """Stop if a contender failed, or lost or invented events: its time would mean nothing."""
    if found not in (wanted if isinstance(wanted, range) else (wanted,)):
        sys.exit(f"{what}: found {found}, wanted {wanted}")


def print_table(costs: dict[str, Cost | None]) -> None:
    """CPU is user and system time of the child; the ratios are of CPU."""
    floor, dlt = costs["DuckDB read_json (floor)"], costs["dlt"]
    print(f"{'':26}{'CPU s':>8}{'wall s':>8}{'/ floor':>9}{'/ dlt':>8}{'peak MB':>9}")
    for name, cost in costs.items():
        if cost is None:
            print(f"{name:26}could not be installed")
            continue
        to_dlt = f"{cost.cpu_seconds / dlt.cpu_seconds:.2f}" if dlt else "-"
        print(
            f"{name:26}{cost.cpu_seconds:8.1f}{cost.wall_seconds:8.1f}"
            f"{cost.cpu_seconds / floor.cpu_seconds:9.2f}{to_dlt:>8}{cost.peak_bytes / 1e6:9,.0f}"
        )


if __name__ == "__main__":
    main()
