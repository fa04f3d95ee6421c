"""dbt itself, on DuckDB files that hold raw tables of the shape that a load leaves."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from shutil import copyfile
from typing import Any

import duckdb
import pytest

from tests.transform.raw import Event, create_tables, load

ROOT = Path(__file__).parents[2]
_MODELS = ("--resource-type", "model", "--resource-type", "seed")


class Dbt:
    """The project's models, run on one DuckDB file by one process that stays.

    The file's path never changes: dbt reads the whole project anew when a variable of the profile
    does.
    """

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.database = folder / "warehouse.duckdb"
        self._process = process
        self._folder = folder

    def start_anew(self) -> None:
        """Begin with empty raw tables and with models built on those."""
        empty = self._folder / "empty.duckdb"
        if not empty.exists():
            create_tables(self.database)
            assert self._ask("build", *_MODELS) == []
            self.database.rename(empty)
        copyfile(empty, self.database)

    def load(self, load_id: int, events: Iterable[Event]) -> None:
        """Add `events` to raw as one load."""
        load(self.database, load_id, events)

    def run(self, *options: str) -> None:
        """Run the tables among the models (their views stay as they are) on what was loaded."""
        assert self.failures(*options) == []

    def failures(self, *options: str) -> list[str]:
        """Do the same; which models failed, and why."""
        return self._ask("build", *_MODELS, "--exclude", "config.materialized:view", *options)

    def test(self, name: str) -> list[str]:
        """Run one of the project's tests; what failed."""
        return self._ask("test", "--select", name)

    def _ask(self, *arguments: str) -> list[str]:
        folders = ["--project-dir", str(ROOT), "--profiles-dir", str(ROOT)]
        folders += ["--target-path", str(self._folder), "--log-path", str(self._folder)]
        request = [
            *arguments,
            *folders,
            *["--quiet", "--no-write-json", "--log-level-file", "none"],
        ]
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        failed: list[str] = json.loads(self._process.stdout.readline())
        return failed

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows that `sql` gives, times in UTC."""
        with duckdb.connect(self.database, read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(sql).fetchall()


@pytest.fixture(scope="session")
def dbt_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dbt]:
    folder = tmp_path_factory.mktemp("dbt")
    command = [sys.executable, str(Path(__file__).with_name("dbt_process.py"))]
    environment = {
        **os.environ,
        "HEADWATER_WAREHOUSE": str(folder / "warehouse.duckdb"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    pipe = subprocess.PIPE
    with (
        (folder / "output.txt").open("w") as output,
        subprocess.Popen(
            command, env=environment, stdin=pipe, stdout=pipe, stderr=output, text=True
        ) as process,
    ):
        yield Dbt(process, folder)
        process.stdin.close()


@pytest.fixture
def dbt(dbt_process: Dbt) -> Dbt:
    """Empty raw tables, and dbt to run on them."""
    dbt_process.start_anew()
    return dbt_process
