"""What is kept back: events that were blocked and have not been loaded since.

Nothing marks them: raw.violations says what was blocked, the tables of calls say what is loaded,
and an event is open if it is in the one and not in the others (which the archive stands for where
they are in BigQuery). So nothing has to be remembered
for as long as a contract takes to be mended, and no two records can disagree.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import duckdb
from duckdb import DuckDBPyConnection

from loader.config import Workspace
from loader.errors import StorageError
from loader.event.naming import CALL_TABLES
from loader.load.accepted import archived_events
from loader.warehouse import Manifest, scan

_MEMORY: Final = "256MB"  # beyond it DuckDB goes on in a folder beside the warehouse
# A join's right side is held in memory. DuckDB would choose it by its guess of a file's rows, which
# for the lake's is 1; as the queries are written, it is the one that is bounded.
_AS_WRITTEN: Final = "set disabled_optimizers = 'join_order,build_side_probe_side'"
_BLOCKED: Final = """
create temp table blocked as
select message_id, min(load_id) as first_load_id, max(load_id) as load_id
from {violations}
where action = 'block' and ($message_ids is null or list_contains($message_ids, message_id))
group by message_id
"""
_LOADED: Final = """
create temp table loaded as
select blocked.message_id
from ({calls}) as calls join blocked
    on blocked.message_id = calls.id and calls.load_id >= blocked.first_load_id
"""
# `load_id` is that of the newest block: its rows say what is wrong now.
_KEPT_BACK: Final = """
create temp table kept_back as
select message_id, load_id from blocked anti join loaded using (message_id);
drop table loaded;
drop table blocked
"""
_FOUND: Final = """
create temp view found as
select
    stored.*,
    coalesce(stored.event, stored.type) as name,
    kept_back.message_id is not null as is_open
from {violations} as stored
left join kept_back
    on kept_back.message_id = stored.message_id
    and kept_back.load_id = stored.load_id
    and stored.action = 'block'
"""
_CONDITIONS: Final = {
    "event": "name = $event",
    "rule": "rule = $rule",
    "source": "source_id = $source",
    "since": "received_at >= $since",
    "message_ids": "list_contains($message_ids, message_id)",
}


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which violations are meant; without any condition, all.

    `event` is a track event's name as sent, or another call's type. `since` is a time of receipt.
    """

    event: str | None = None
    rule: str | None = None
    source: str | None = None
    since: datetime | None = None
    message_ids: tuple[str, ...] = ()

    @property
    def values(self) -> dict[str, Any]:
        """The values of the parameters that `condition` names."""
        values: dict[str, Any] = {}
        for name in _CONDITIONS:
            value = getattr(self, name)
            if value:
                values[name] = list(value) if isinstance(value, tuple) else value
        return values

    @property
    def condition(self) -> str:
        """An SQL condition on rows of `found`."""
        return " and ".join(_CONDITIONS[name] for name in self.values) or "true"


@contextmanager
def violations_found(
    workspace: Workspace, manifest: Manifest, selection: Selection
) -> Iterator[DuckDBPyConnection]:
    """A connection with `found`: raw.violations, with each row's `name` and whether it `is_open`.

    `kept_back` in it has what is open once, an event a row. Both know all events that `manifest`
    lists, or those of the selection's message ids; its other conditions are for the reader to put.
    Raises StorageError if a file of the lake is missing or damaged.
    """
    violations = scan_table(workspace, manifest, "violations")
    spill = workspace.warehouse.with_name(f"{workspace.warehouse.name}.tmp")
    try:
        with duckdb.connect(config={"temp_directory": str(spill)}) as connection:
            connection.execute(f"set TimeZone = 'UTC'; set memory_limit = '{_MEMORY}'")
            connection.execute(_AS_WRITTEN)
            connection.execute(
                _BLOCKED.format(violations=violations),
                {"message_ids": list(selection.message_ids) or None},
            )
            [(first,)] = connection.execute("select min(first_load_id) from blocked").fetchall()
            calls = _calls_since(workspace, manifest, first or 0)
            connection.execute(_LOADED.format(calls=calls))
            connection.execute(_KEPT_BACK)
            connection.execute(_FOUND.format(violations=violations))
            yield connection
    except duckdb.IOException as problem:
        raise StorageError(
            f"{workspace.lake}: {problem}", fix="restore the file from a backup, or make room"
        ) from problem


def _calls_since(workspace: Workspace, manifest: Manifest, load_id: int) -> str:
    """Every event that load `load_id` or a later one accepted, as (id, load_id), in SQL.

    Tables of calls that are in BigQuery would have to be paid for; the archive knows it too.
    """
    if not workspace.config.warehouse.is_bigquery:
        return " union all ".join(
            f"select id, load_id from {scan_table(workspace, manifest, table, since=load_id)}"
            for table in CALL_TABLES.values()
        )
    events = archived_events(workspace, range(load_id, manifest.next_load_id))
    return f"select id, load_id from ({events})"


def scan_table(workspace: Workspace, manifest: Manifest, table: str, *, since: int = 0) -> str:
    """What reads the table's files of load `since` and later, in the order of loads, in SQL."""
    files = [f for f in manifest.files if f.table_name == table and f.load_id >= since]
    files.sort(key=lambda file: file.load_id)  # stable: a load's own files stay in order
    return scan(workspace, manifest.catalog, table, files)
