"""Loading against its floors (DuckDB reads the file and checks nothing) and against dlt.

python -m benchmarks.load [--events 1000000] [--rounds 3] [--no-dlt]
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

import duckdb
import yaml

from benchmarks.environments import DLT, python_with
from benchmarks.measure import Cost, run
from benchmarks.planted import Manifest, check, check_violations
from loader.demo.generator import generate
from loader.demo.workspace import make_workspace

_CONTENDERS = Path(__file__).parent / "contenders"
CACHE = Path(os.environ.get("XDGCACHE_HOME") or "~/.cache").expanduser() / "headwater-bench"
_CALL_TABLES = ("tracks", "identifies", "pages", "screens", "groups", "aliases")
_OURS, _TABLE, _PARQUET = "headwater load", "DuckDB, one table", "DuckDB, by event and day"
# The generated events are older than the archive keeps, so that it costs nothing unless asked for.
_PLAIN = {"enrichment": {"user_agent": False, "campaign": False, "bots": False}}
_EXTRAS = {
    "with archive": {"retention": {"archive_days": 36_500}},
    "with user agents": {"enrichment": {"campaign": False, "bots": False}},
    "with bots": {"enrichment": {"user_agent": False, "campaign": False}},
    "with campaigns": {"enrichment": {"user_agent": False, "bots": False}},
}

Contender = Callable[[Path, Manifest, Path], Cost | None]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the contenders in turn, check what each stored, print medians of what they cost."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.load")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dlt", action=argparse.BooleanOptionalAction, default=True)
    given = parser.parse_args(arguments)
    file, planted = input_file(given.events, given.seed)
    contenders: dict[str, Contender] = {
        _OURS: partial(load_with_headwater, settings=_PLAIN),
        _TABLE: partial(load_with_duckdb, form="table"),
        _PARQUET: partial(load_with_duckdb, form="parquet"),
        **{
            name: partial(load_with_headwater, settings=_PLAIN | extra)
            for name, extra in _EXTRAS.items()
        },
    }
    if given.dlt:
        contenders["dlt"] = partial(load_with_dlt, file_format="insert_values")  # its default
        contenders["dlt by way of Parquet"] = partial(load_with_dlt, file_format="parquet")
    costs: dict[str, list[Cost]] = {name: [] for name in contenders}
    for number in range(given.rounds):
        for name, contend in contenders.items():
            if number and name.startswith("dlt"):  # minutes, and far off
                continue
            with tempfile.TemporaryDirectory() as folder:
                cost = contend(file, planted, Path(folder))
            costs[name] += [cost] if cost else []
    megabytes = planted["bytes_raw"] / 1e6
    print(f"loading {planted['events']:,} events, {megabytes:,.0f} MB of JSON ({file.name})")
    print_table({name: middle(found) for name, found in costs.items() if found})


def input_file(events: int, seed: int) -> tuple[Path, Manifest]:
    """The generated events, kept between runs, and what was planted in them."""
    file = CACHE / f"events-{seed}-{events}.ndjson.gz"
    manifest = file.with_name(f"{file.name}.manifest.json")
    if not manifest.is_file():  # it is written last
        CACHE.mkdir(parents=True, exist_ok=True)
        generate(file, events, seed=seed, jobs=os.cpu_count() or 1)
    return file, json.loads(manifest.read_text())


def load_with_headwater(
    file: Path, planted: Manifest, folder: Path, *, settings: dict[str, object]
) -> Cost:
    """`headwater load` into a new workspace with the contracts that the events break."""
    workspace = make_workspace(folder / "workspace")
    config = workspace.root / "headwater.yml"
    own = config.read_text().replace("\nretention:\n  archive_days: 400\n", "\n")
    config.write_text(own + yaml.safe_dump(settings))
    place = ("--workspace", str(workspace.root))
    cost = run([sys.executable, "-m", "loader.cli", "load", str(file), *place, "--json"])
    check("exit code", cost.exit_code, 3)  # some events were blocked
    report = json.loads(cost.output)
    check("events in", report["events_in"], planted["events"] + planted["malformed"])
    check("duplicates", report["duplicates"], planted["duplicates"])
    kept = report["accepted"] + report["blocked"]
    check("accepted and blocked", kept, planted["unique"] + planted["malformed"])
    with duckdb.connect(workspace.warehouse, read_only=True) as connection:
        check_violations(connection, planted, workspace.schemas)
        ids = " union all ".join(f"select id from raw.{table}" for table in _CALL_TABLES)
        (stored,) = connection.execute(f"select count(distinct id) from ({ids})").fetchone()
    check("events in the raw tables", stored, report["accepted"])
    return cost


def load_with_duckdb(file: Path, planted: Manifest, folder: Path, *, form: str) -> Cost:
    """A torn line becomes an empty row, or none."""
    out = folder / "floor"
    cost = run([sys.executable, str(_CONTENDERS / "duckdb_floor.py"), str(file), str(out), form])
    check("exit code", cost.exit_code, 0)
    if form == "table":
        check("rows", rows_in(out), planted["events"] + planted["malformed"])
    else:
        ((rows,),) = duckdb.sql(f"select count(*) from '{out}/**/*.parquet'").fetchall()
        check("rows", rows, planted["events"] + planted["malformed"])
    return cost


def load_with_dlt(file: Path, planted: Manifest, folder: Path, *, file_format: str) -> Cost | None:
    """The same tables as ours, with every unique event in one of them; None without dlt."""
    python = python_with(DLT, CACHE / "dlt")
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


def middle(costs: Sequence[Cost]) -> Cost:
    """The medians of several runs."""
    return Cost(
        median(cost.wall_seconds for cost in costs),
        median(cost.cpu_seconds for cost in costs),
        max(cost.peak_bytes for cost in costs),
        costs[0].exit_code,
        costs[0].output,
    )


def print_table(costs: dict[str, Cost]) -> None:
    """CPU is user and system time of the child; the ratios are ours by the row's."""
    ours = costs[_OURS]
    print(f"{'':26}{'CPU s':>8}{'wall s':>8}{'our CPU':>9}{'our wall':>10}{'peak MB':>9}")
    for name, cost in costs.items():
        print(
            f"{name:26}{cost.cpu_seconds:8.1f}{cost.wall_seconds:8.1f}"
            f"{ours.cpu_seconds / cost.cpu_seconds:9.2f}"
            f"{ours.wall_seconds / cost.wall_seconds:10.2f}{cost.peak_bytes / 1e6:9,.0f}"
        )


if __name__ == "__main__":
    main()
