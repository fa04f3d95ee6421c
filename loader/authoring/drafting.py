"""Drafts contracts from events that were loaded.

The archive has them as they came: real names, nulls, what stood in arrays. Where it has none any
more, the raw table speaks, under its columns' names.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from loader.archive import read_archive, whole_event
from loader.authoring.documents import planned
from loader.authoring.observation import Observed, draft_object
from loader.config import Workspace, nearest
from loader.errors import ConfigError
from loader.event.naming import OUR_TABLES, column_name, table_name
from loader.warehouse import Manifest, connect, quote, read_manifest
from loader.warehouse.catalog import fixed_columns


@dataclass
class Draft:
    """What was seen of the events of one raw table."""

    table: str
    names: Counter[str] = field(default_factory=Counter)
    properties: Observed = field(default_factory=Observed)
    is_from_columns: bool = False

    @property
    def name(self) -> str:
        """The event's name, in its most frequent spelling."""
        return self.names.most_common(1)[0][0]

    @property
    def document(self) -> dict[str, Any]:
        """The contract, as it is written to schemas/."""
        seen = self.properties.kinds["object"]
        note = " by the names of columns" if self.is_from_columns else ""
        return {
            "name": self.name,
            "description": f"Drafted from {seen:,} events{note}; say here when it is sent",
            "rules": draft_object(self.properties),
        }


def draft_contracts(workspace: Workspace, names: Sequence[str], *, max_events: int) -> list[Draft]:
    """Drafts for the track events `names`; without names, for each that has no contract.

    At most `max_events` of an event are looked at, spread over all that was loaded. ConfigError for
    a name of which nothing was loaded.
    """
    manifest = read_manifest(workspace)
    rows = _rows_by_table(workspace, manifest)
    loaded = [table for table, count in rows.items() if count and table not in OUR_TABLES]
    if names:
        wanted = [_loaded_table(name, loaded) for name in dict.fromkeys(names)]
    else:
        known = planned(workspace.schemas)
        wanted = [table for table in loaded if table not in known]
    drafts = {table: Draft(table) for table in sorted(set(wanted))}
    every = {table: -(-rows[table] // max_events) for table in drafts}
    if drafts:
        _read_archive(workspace, manifest, drafts, every)
    for draft in drafts.values():
        if not draft.names:
            _read_table(workspace, draft, max_events)
    return list(drafts.values())


def _rows_by_table(workspace: Workspace, manifest: Manifest) -> dict[str, int]:
    """How many rows each table got; of what is in BigQuery raw.loads tells it."""
    if not workspace.config.warehouse.is_bigquery:
        return manifest.rows_by_table()
    with connect(workspace) as connection:
        sums = "select table_name, sum(rows)::bigint from raw.loads group by table_name"
        return dict(connection.execute(sums).fetchall())


def _loaded_table(name: str, loaded: Sequence[str]) -> str:
    table = table_name(name)
    if table not in loaded:
        guess = nearest(table, loaded)
        hint = f"did you mean {guess}? " if guess else ""
        raise ConfigError(
            f"{name!r}: no track event of that name was loaded",
            fix=f"{hint}`headwater status` lists the raw tables",
        )
    return table


def _read_archive(
    workspace: Workspace, manifest: Manifest, drafts: dict[str, Draft], every: dict[str, int]
) -> None:
    seen: Counter[str] = Counter()
    for row in read_archive(workspace, next_load_id=manifest.next_load_id):
        if row.type != "track" or row.event is None:
            continue
        draft = drafts.get(table_name(row.event))
        if draft is None:
            continue
        if seen[draft.table] % every[draft.table] == 0:
            draft.names[row.event] += 1
            draft.properties.add(whole_event(row)["properties"])
        seen[draft.table] += 1


def _read_table(workspace: Workspace, draft: Draft, max_events: int) -> None:
    draft.is_from_columns = True
    ours = fixed_columns(draft.table)
    if workspace.config.warehouse.is_bigquery:
        from loader.warehouse.bigquery.sample import newest_rows  # noqa: PLC0415 - slow

        rows = newest_rows(workspace, draft.table, max_events, _since(workspace, draft, max_events))
    else:
        rows = _sampled_rows(workspace, draft.table, max_events)
    for row in rows:
        draft.names[row["event_text"]] += 1
        draft.properties.add(dict(_properties(row, ours)))


def _sampled_rows(workspace: Workspace, table: str, max_rows: int) -> Iterator[dict[str, Any]]:
    with connect(workspace) as connection:
        sample = f"using sample reservoir({max_rows} rows) repeatable (7)"
        found = connection.execute(f"from raw.{quote(table)} {sample}")
        columns = [column[0] for column in found.description or []]
        while rows := found.fetchmany(10_000):
            yield from (dict(zip(columns, values, strict=True)) for values in rows)


def _since(workspace: Workspace, draft: Draft, max_events: int) -> date:
    """The day from which on the newest loads brought so many rows, to read no older partition."""
    first = date.max
    count = 0
    with connect(workspace) as connection:
        loads = "select dates[1], rows from raw.loads where table_name = ? order by load_id desc"
        for day, rows in connection.execute(loads, [draft.table]).fetchall():
            if count >= max_events:
                break
            first, count = min(first, day), count + rows
    return first


def _properties(row: dict[str, Any], ours: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The properties that a row of a raw table still shows, by column; null where it had none."""
    for name, value in row.items():
        if name in ours or name.startswith(("_", "context_")):
            continue
        if isinstance(value, datetime):
            yield name, value.isoformat()
        else:
            yield name, _as_array(value) if isinstance(value, str) else value
    for pointer, value in json.loads(row["_rescued"] or "{}").items():
        steps = pointer.split("/")[1:]
        if steps[0] == "properties" and len(steps) > 1:
            path = tuple(step.replace("~1", "/").replace("~0", "~") for step in steps[1:])
            yield column_name(path), value


def _as_array(text: str) -> Any:
    """The array that `text` holds as JSON, as raw tables store arrays; else `text`."""
    if text.startswith("["):
        try:
            found = json.loads(text)
        except ValueError:
            return text
        return found if isinstance(found, list) else text
    return text
