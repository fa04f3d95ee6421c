"""A workspace whose marts are made by hand and whose webhook is a receiver on 127.0.0.1."""

import json
from dataclasses import dataclass

import duckdb

from loader.config import Workspace
from loader.sync import run_syncs
from tests.twin.clock import StillClock
from tests.twin.receiver import Receiver


def users(*rows):
    """The statement that makes the model `users` of (email, plan, orders); None is NULL."""
    values = ", ".join(str(row).replace("None", "null") for row in rows)
    return f"create table users as select * from (values {values}) as t (email, plan, orders)"


@dataclass
class Place:
    """A workspace with marts made by hand, whose webhook is the receiver."""

    workspace: Workspace
    receiver: Receiver

    def configure(self, *, hook_key=None, **syncs):
        """Write headwater.yml with these syncs; JSON is YAML too."""
        for sync in syncs.values():
            sync.setdefault("destination", "hook")
        hook = {"type": "webhook", "base_url": self.receiver.url}
        if hook_key:
            hook["headers"] = {"X-Key": hook_key}
        config = {"destinations": {"hook": hook}, "syncs": syncs}
        (self.workspace.root / "headwater.yml").write_text(json.dumps(config))
        self.workspace = Workspace(self.workspace.root)

    def publish(self, *statements):
        """Replace the warehouse by one that these statements make."""
        path = self.workspace.warehouse
        path.parent.mkdir(exist_ok=True)
        building = path.parent / "building" / path.name
        building.parent.mkdir(exist_ok=True)
        building.unlink(missing_ok=True)
        with duckdb.connect(building) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute("create schema analytics; use analytics")
            for statement in statements:
                connection.execute(statement)
        building.chmod(0o444)
        building.replace(path)

    def run(self, *names, **options):
        """The report of the only sync that runs."""
        [report] = run_syncs(self.workspace, names, clock=StillClock(), **options)
        return report

    def state(self, query):
        """What the state file of the sync `users` holds."""
        path = self.workspace.state / "users.duckdb"
        with duckdb.connect() as connection:
            connection.execute(f"attach '{path}' as state (read_only)")
            return connection.execute(query).fetchall()

    def sent(self):
        """Every body that the receiver got, in order of arrival."""
        return [request.json for request in self.receiver.requests]
