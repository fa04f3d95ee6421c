"""Runs dbt on a DuckDB file, as `headwater transform` does, and tells what each model took."""

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Cost, run

ROOT = Path(__file__).parents[1]
IDENTITY = ("int_identifiers", "int_identity_", "int_profile")
# A project of one model: the macro alone, on links that are there already.
_COMPONENTS = {
    "dbt_project.yml": "name: components\nversion: 1.0.0\nconfig-version: 2\nprofile: headwater\n",
    "models/roots.sql": "{{ config(materialized='connected_components') }}\n"
    "select node, linked_node from bench.links",
}


@dataclass(frozen=True)
class Build:
    """One run of dbt: what the process took, and the seconds of each model."""

    cost: Cost
    seconds: Mapping[str, float]

    @property
    def identity_seconds(self) -> float:
        return sum(s for name, s in self.seconds.items() if name.startswith(IDENTITY))


def build_identity(database: Path, *, full_refresh: bool = False) -> Build:
    """The models from the calls to the profiles, without tests."""
    select = ["--select", "+int_canonical_ids", "--exclude-resource-types", "test", "unit_test"]
    return _build(ROOT, database, *select, *(["--full-refresh"] if full_refresh else []))


def build_components(database: Path) -> Build:
    """The table analytics.roots of the links in bench.links."""
    project = database.parent / "project"
    if not project.exists():
        shutil.copytree(ROOT / "dbt_project" / "macros", project / "macros")
        for name, text in _COMPONENTS.items():
            (project / name).parent.mkdir(exist_ok=True)
            (project / name).write_text(text)
    return _build(project, database)


def _build(project: Path, database: Path, *options: str) -> Build:
    target = database.parent / "target"
    dbt = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "build", *options]
    folders = ["--project-dir", str(project), "--profiles-dir", str(ROOT)]
    folders += ["--target-path", str(target), "--log-path", str(database.parent)]
    environment = {
        "HEADWATER_WAREHOUSE": str(database),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "PYTHONPATH": str(ROOT),
    }
    cost = run([*dbt, *folders, "--quiet"], environment)
    if cost.exit_code:
        raise SystemExit(f"dbt failed:\n{cost.output}")
    results = json.loads((target / "run_results.json").read_text())["results"]
    return Build(cost, {r["unique_id"].split(".")[-1]: r["execution_time"] for r in results})
