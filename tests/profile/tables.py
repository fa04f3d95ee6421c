"""The tables of identity as a transform leaves them, made by hand from what events carried."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any

import duckdb
import pyarrow as pa

from loader.config import Workspace
from loader.overrides import Identifier
from loader.warehouse import repair

START = datetime(2026, 3, 1, tzinfo=UTC)
COLUMNS = {
    "int_identifiers": "node int, type, value, first_seen_at time, last_seen_at time",
    "int_identity_sets": "_seq int, event_id, event_type, timestamp time",
    "int_identity_evidence": "_seq int, node int, place int",
    "int_identity_log": "kind, _seq int, node int, reason",
    "int_identity_rules": "rules",
    "user_identifiers": "canonical_user_id, type, value, first_seen_at time, last_seen_at time",
    "id_graph": "segment_id, canonical_segment_id",
    "profile_merges": "segment_id, canonical_segment_id, triggering_event_type, "
    "triggering_event_id, timestamp time",
    "profile_splits": "segment_id, canonical_segment_id, split_at time",
    "identity_demoted": "event_id, event_type, type, value, reason, canonical_user_id, "
    "timestamp time",
    "identity_overrides": "kind, type, value, other_type, other_value, created_at, note",
    "events": "id, type, event_text, name, timestamp time, received_at time, source_id, "
    "canonical_user_id",
    "user_traits": "canonical_user_id, name, value, event_id, timestamp time",
    "group_memberships": "canonical_user_id, group_id, first_seen_at time, last_seen_at time",
    "audience_memberships": "audience, canonical_user_id, entered_at time, exited_at time",
}


@dataclass
class Identity:
    """Events with what they carried, and what came of it: as `merge` says, one profile a component.

    A demoted identifier is given as `{identifier: reason}` of its event.
    """

    events: list[tuple[list[Identifier], Mapping[Identifier, str]]] = field(default_factory=list)
    merges: list[tuple[Identifier, Identifier]] = field(default_factory=list)  # by override
    more: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)  # rows of other tables

    def event(self, *carried: str, **demoted: str) -> "Identity":
        """Add one, as ("user_id:u1", "email:a@x", email="limit")."""
        identifiers = [Identifier(*name.split(":", 1)) for name in carried]
        reasons = {each: demoted[each.type] for each in identifiers if each.type in demoted}
        self.events.append((identifiers, reasons))
        return self

    @property
    def nodes(self) -> dict[Identifier, int]:
        seen = dict.fromkeys(each for carried, _ in self.events for each in carried)
        return {identifier: node for node, identifier in enumerate(seen, start=1)}

    def roots(self) -> dict[Identifier, Identifier]:
        """Of each identifier that counted somewhere, the oldest one of its profile."""
        nodes = self.nodes
        parents: dict[Identifier, Identifier] = {}

        def root(each: Identifier) -> Identifier:
            while parents[each] != each:
                parents[each] = parents[parents[each]]
                each = parents[each]
            return each

        for carried, demoted in self.events:
            counted = [each for each in carried if each not in demoted]
            for each in counted:
                parents.setdefault(each, each)
                old, new = sorted((root(each), root(counted[0])), key=nodes.__getitem__)
                parents[new] = old
        for one, two in self.merges:
            if one in parents and two in parents:
                old, new = sorted((root(one), root(two)), key=nodes.__getitem__)
                parents[new] = old
        return {each: root(each) for each in parents}

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """The rows of every table."""
        nodes, roots = self.nodes, self.roots()
        found: dict[str, list[tuple[Any, ...]]] = {table: [] for table in COLUMNS}
        for each, node in nodes.items():
            found["int_identifiers"].append((node, each.type, each.value, START, START))
        for each, root in roots.items():
            row = (segment_id(root), each.type, each.value, START, START)
            found["user_identifiers"].append(row)
        for root in set(roots.values()):
            found["id_graph"].append((segment_id(root), segment_id(root)))
        for seq, (carried, demoted) in enumerate(self.events, start=1):
            at = START + timedelta(seconds=seq)
            found["int_identity_sets"].append((seq, f"m{seq}", "identify", at))
            [owner] = {segment_id(roots[each]) for each in carried if each not in demoted}
            found["events"].append((f"m{seq}", "identify", None, None, at, at, "web", owner))
            for place, each in enumerate(carried):
                found["int_identity_evidence"].append((seq, nodes[each], place))
                if each in demoted:
                    why = demoted[each]
                    found["int_identity_log"].append(("demote", seq, nodes[each], why))
                    row = (f"m{seq}", "identify", each.type, each.value, why, owner, at)
                    found["identity_demoted"].append(row)
        for one, two in self.merges:
            row = ("merge", one.type, one.value, two.type, two.value, "2026-03-01", "asked for")
            found["identity_overrides"].append(row)
        for table, rows in self.more.items():
            found[table] += rows
        return found


def segment_id(root: Identifier) -> str:
    """The id of the profile whose oldest identifier is `root`."""
    return md5(str(root).encode(), usedforsecurity=False).hexdigest()


def publish(workspace: Workspace, identity: Identity) -> None:
    """Put the tables into the workspace's published DuckDB file."""
    repair(workspace)
    workspace.warehouse.chmod(0o644)
    with duckdb.connect(workspace.warehouse) as connection:
        connection.execute("set TimeZone = 'UTC'; create or replace schema analytics")
        for table, rows in identity.rows().items():
            names, kinds = columns(table, {"time": "timestamptz", "int": "bigint", "": "varchar"})
            told = ", ".join(f'"{n}" {k}' for n, k in zip(names, kinds, strict=True))
            connection.execute(f"create table analytics.{table} ({told})")
            if rows:
                given = {n: [row[at] for row in rows] for at, n in enumerate(names)}
                connection.from_arrow(pa.table(given)).insert_into(f"analytics.{table}")


def columns(table: str, kinds: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The names of a table's columns and their types, as `kinds` calls them."""
    split = [column.strip().partition(" ") for column in COLUMNS[table].split(",")]
    return [name for name, _, _ in split], [kinds[kind] for _, _, kind in split]


def selects(rows: Sequence[Sequence[Any]], table: str) -> str:
    """A SELECT, in BigQuery's SQL, of a table's rows."""
    names, kinds = columns(table, {"time": "timestamp", "int": "int64", "": "string"})
    told: Iterable[Sequence[Any]] = rows or [[None] * len(names)]
    lines = [
        ", ".join(
            f"cast({'null' if v is None else repr(str(v))} as {kind}) as {name}"
            for name, kind, v in zip(names, kinds, row, strict=True)
        )
        for row in told
    ]
    query = " union all ".join(f"select {line}" for line in lines)
    return f"select * from ({query}) as made where {'true' if rows else 'false'}"
