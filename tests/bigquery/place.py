"""A workspace whose marts are made by hand in the emulator, and whose webhook is a receiver."""

import json
from dataclasses import dataclass
from itertools import count

from google.cloud import bigquery

from loader.config import Workspace
from loader.sync import run_syncs
from loader.warehouse.bigquery.client import BigQuery, connect_bigquery
from tests.bigquery.standin import PROJECT, Emulator
from tests.twin.clock import StillClock
from tests.twin.receiver import Receiver

_numbers = count(1)


@dataclass
class MartsPlace:
    """Its datasets are its own, but for `headwater`, which all share."""

    workspace: Workspace
    emulator: Emulator
    receiver: Receiver

    def __post_init__(self) -> None:
        self.dataset = f"marts_{next(_numbers)}"

    def configure(self, *, warehouse: dict[str, object] | None = None, **syncs):
        """Write headwater.yml with these syncs; JSON is YAML too."""
        for sync in syncs.values():
            sync.setdefault("destination", "hook")
        config = {
            "warehouse": {
                "type": "bigquery",
                "project": PROJECT,
                "location": "EU",
                "raw_dataset": f"raw_{self.dataset}",
                "dataset": self.dataset,
                "base_url": self.emulator.url,
                "storage_url": self.emulator.storage_url,
                **(warehouse or {}),
            },
            "destinations": {"hook": {"type": "webhook", "base_url": self.receiver.url}},
            "syncs": syncs,
        }
        (self.workspace.root / "headwater.yml").write_text(json.dumps(config))
        self.workspace = Workspace(self.workspace.root)

    @property
    def bigquery(self) -> BigQuery:
        return connect_bigquery(self.workspace)

    def publish(self, **tables):
        """Make the marts anew: a SELECT each."""
        connection = self.bigquery
        dataset = bigquery.Dataset(f"{PROJECT}.{self.dataset}")
        dataset.location = "EU"
        connection.client.create_dataset(dataset, exists_ok=True)
        for name, select in tables.items():
            connection.query(f"create or replace table `{connection.mart(name)}` as {select}")

    def run(self, *names, **options):
        """The report of the only sync that runs."""
        [report] = run_syncs(self.workspace, names, clock=StillClock(), **options)
        return report

    def kept(self, prefix):
        """The tables of the dataset `headwater` that this place's sync `users` made."""
        client = self.bigquery.client
        found = client.list_tables(f"{PROJECT}.headwater")
        return [table.table_id for table in found if table.table_id.startswith(prefix)]

    def sent(self):
        """Every body that the receiver got, in order of arrival."""
        return [request.json for request in self.receiver.requests]


def users(*rows):
    """A SELECT of (email, plan, orders); None is NULL."""
    told = ", ".join(
        f"struct({_sql(e)} as email, {_sql(p)} as plan, {n} as orders)" for e, p, n in rows
    )
    return f"select * from unnest([{told}])"


def _sql(value):
    return "cast(null as string)" if value is None else f"'{value}'"
