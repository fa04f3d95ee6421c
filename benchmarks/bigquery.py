"""What loading for BigQuery costs beside loading into the lake, up to the upload.

python -m benchmarks.bigquery [--events 1000000] [--rounds 3]
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.load import input_file, middle
from benchmarks.measure import Cost, run
from loader.demo.workspace import make_workspace

_CHILD = Path(__file__).parent / "contenders" / "to_the_upload.py"
_WAREHOUSES = {
    "lake": "warehouse: {type: duckdb}",
    "BigQuery": "warehouse: {type: bigquery, project: not-asked}",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both in turn, check that they took the same, print medians and what would be sent."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.bigquery")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    file, planted = input_file(given.events, given.seed)
    costs: dict[str, list[Cost]] = {name: [] for name in _WAREHOUSES}
    for _ in range(given.rounds):
        for name, warehouse in _WAREHOUSES.items():
            with tempfile.TemporaryDirectory() as folder:
                costs[name].append(_load(file, Path(folder), warehouse))
    told = {name: json.loads(found[0].output) for name, found in costs.items()}
    assert told["lake"]["accepted"] == told["BigQuery"]["accepted"]
    assert told["lake"]["tracks"] == told["BigQuery"]["tracks"]
    lake, ours = middle(costs["lake"]), middle(costs["BigQuery"])
    print(f"loading {planted['events']:,} events up to the upload")
    for name, cost in (("lake", lake), ("BigQuery", ours)):
        print(
            f"{name:10}{cost.cpu_seconds:8.1f} CPU s{cost.wall_seconds:8.1f} wall s"
            f"{cost.cpu_seconds / lake.cpu_seconds:8.2f} of the lake's CPU"
            f"{cost.peak_bytes / 1e6:9,.0f} MB {told[name]}"
        )


def _load(file: Path, folder: Path, warehouse: str) -> Cost:
    workspace = make_workspace(folder / "workspace")
    config = workspace.root / "headwater.yml"
    lines = config.read_text().splitlines()
    others = "\n".join(
        line for line in lines if not line.startswith(("warehouse:", "  type: duckdb"))
    )
    config.write_text(f"{warehouse}\n{others}\n")
    cost = run([sys.executable, str(_CHILD), str(workspace.root), str(file)])
    assert cost.exit_code == 0, cost.output
    return cost


if __name__ == "__main__":
    main()
