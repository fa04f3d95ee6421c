"""A real project: what the live suite needs of it, and datasets that go when it ends.

    HEADWATER_LIVE_PROJECT=my-project .venv/bin/python -m pytest -m live tests/bigquery/live

HEADWATER_LIVE_LOCATION (default: EU) is where datasets are made, HEADWATER_LIVE_BUCKET a bucket
there, for staging. Credentials are ADC. It costs a few cents at most; docs/how-to/bigquery.md.
"""

import json
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google.auth
import pytest
from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery

from loader.warehouse.bigquery.client import STATE_DATASET
from tests.end_to_end.road import headwater

_MINE = "hw_live_"


@dataclass(frozen=True)
class Place:
    """A workspace on the real project, with datasets of its own."""

    root: Path
    raw: str
    marts: str
    client: bigquery.Client

    def run(self, command: str, *arguments: str | Path, expect: int = 0) -> str:
        return headwater(command, *arguments, "--workspace", self.root, expect=expect)

    def load(self, *events: dict[str, Any], name: str = "events", expect: int = 0) -> Any:
        file = self.root / f"{name}.ndjson"
        file.write_text("".join(f"{json.dumps(event)}\n" for event in events), encoding="utf-8")
        return json.loads(self.run("load", file, "--json", expect=expect))

    def query(self, sql: str) -> list[dict[str, Any]]:
        """The rows as `headwater query` prints them."""
        found: list[dict[str, Any]] = json.loads(self.run("query", sql, "--json"))
        return found

    def ask(self, sql: str, **options: Any) -> Any:
        """The job of `sql` by Google's client alone; `{raw}` and `{marts}` are the datasets."""
        config = bigquery.QueryJobConfig(use_query_cache=False, **options)
        return self.client.query(sql.format(raw=self.raw, marts=self.marts), job_config=config)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.ask(sql).result()]


@pytest.fixture(scope="session")
def project() -> str:
    found = os.environ.get("HEADWATER_LIVE_PROJECT")
    if not found:
        pytest.fail(
            "-m live runs on a real project: set HEADWATER_LIVE_PROJECT to its id, and see that "
            "`gcloud auth application-default login` or GOOGLE_APPLICATION_CREDENTIALS lets you in",
            pytrace=False,
        )
    return found


@pytest.fixture(scope="session")
def location() -> str:
    return os.environ.get("HEADWATER_LIVE_LOCATION", "EU")


@pytest.fixture(scope="session")
def client(project: str, location: str) -> bigquery.Client:
    try:
        credentials, _ = google.auth.default(
            scopes=["https://www.googleapis.com/auth/cloud-platform"]
        )
        client = bigquery.Client(project=project, credentials=credentials, location=location)
        client.query("select 1").result()
    except (GoogleAuthError, GoogleAPIError) as problem:
        pytest.fail(f"-m live can't ask {project}: {problem}", pytrace=False)
    return client


@pytest.fixture(scope="session")
def state(client: bigquery.Client, project: str) -> Iterator[str]:
    """The prefix of syncs of this run; what they leave in the dataset `headwater` goes with it."""
    dataset = f"{project}.{STATE_DATASET}"
    was_there = STATE_DATASET in {found.dataset_id for found in client.list_datasets()}
    prefix = f"live_{secrets.token_hex(4)}"
    yield prefix
    if not was_there:
        client.delete_dataset(dataset, delete_contents=True, not_found_ok=True)
    else:
        for table in client.list_tables(dataset):
            if prefix in table.table_id:
                client.delete_table(table, not_found_ok=True)


@pytest.fixture(scope="session")
def make_place(
    tmp_path_factory: pytest.TempPathFactory,
    client: bigquery.Client,
    project: str,
    location: str,
) -> Iterator[Callable[..., Place]]:
    """Makes workspaces; their datasets are deleted at the end, whatever happened."""
    made: list[str] = []

    def make(rest: str = "", **settings: object) -> Place:
        token = secrets.token_hex(4)
        raw, marts = f"{_MINE}{token}_raw", f"{_MINE}{token}_marts"
        made.extend([raw, marts])
        root = tmp_path_factory.mktemp("live") / "workspace"
        headwater("init", root)
        warehouse = {
            "type": "bigquery",
            "project": project,
            "location": location,
            "raw_dataset": raw,
            "dataset": marts,
            **settings,
        }
        # JSON is YAML too
        told = f"warehouse: {json.dumps(warehouse)}\n{rest}"
        (root / "headwater.yml").write_text(told, encoding="utf-8")
        return Place(root, raw, marts, client)

    yield make
    for dataset in made:
        client.delete_dataset(f"{project}.{dataset}", delete_contents=True, not_found_ok=True)
