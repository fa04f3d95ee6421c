"""What syncs remember of somebody goes for good: from state files, and copies in BigQuery."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb
from duckdb import DuckDBPyConnection

from loader.config import Workspace
from loader.durable import replacing
from loader.errors import Busy, ConfigError
from loader.protocol import decode_json
from loader.sync.duckdb_marts import DuckdbMarts
from loader.sync.marts import Marts
from loader.sync.relation import find_source
from loader.sync.state import attach, create_tables, open_state
from loader.warehouse.views import text

_USER: Final = "canonical_user_id"
_TELLING: Final = 8  # characters; a shorter value, as 1, stands in many a field of others
_TABLES: Final = ("accepted", "outcomes", "runs")
_FETCHED_ROWS: Final = 10_000


def keys_of(workspace: Workspace, canonical_ids: Collection[str]) -> dict[str, list[str]]:
    """By sync, the keys (JSON) of the rows that its model has of these users now.

    A sync whose model is gone, or tells no user, has none; errors as `open_marts`.
    """
    if not workspace.config.syncs or not canonical_ids:
        return {}
    with _marts(workspace) as (marts, ask):
        users = ", ".join(map(marts.text, sorted(canonical_ids)))
        found: dict[str, list[str]] = {}
        for name, sync in workspace.config.syncs.items():
            try:
                if not sync.audience and _USER not in marts.columns(sync.model or ""):
                    continue
                rows = find_source(marts, name, sync).rows
            except (ConfigError, duckdb.CatalogException):
                continue
            found[name] = ask(f"{rows} where relation.{marts.quote(_USER)} in ({users})")
        return found


@contextmanager
def _marts(workspace: Workspace) -> Iterator[tuple[Marts, Any]]:
    if workspace.config.warehouse.is_bigquery:
        from loader.sync.bigquery_marts import BigQueryMarts  # noqa: PLC0415 - slow
        from loader.warehouse.bigquery.usage import metered  # noqa: PLC0415

        with metered(workspace, "forget") as bigquery, duckdb.connect() as connection:

            def ask_bigquery(sql: str) -> list[str]:
                return [row[0] for row in bigquery.query(sql, where="forget").result()]

            yield BigQueryMarts(bigquery, workspace, "", connection), ask_bigquery
        return
    with duckdb.connect() as connection:
        busy = Busy(f"{workspace.warehouse} is open for writing in another process", fix="close it")
        connection.execute("set TimeZone = 'UTC'")
        attach(connection, workspace.warehouse, "warehouse", "(read_only)", busy)

        def ask(sql: str) -> list[str]:
            return [row[0] for row in connection.execute(sql).fetchall()]

        yield DuckdbMarts(connection), ask


class States:
    """Every state file of the workspace, held so that no sync runs."""

    def __init__(self, connections: Mapping[Path, DuckDBPyConnection]) -> None:
        self._connections = connections

    def count(self, keys: Mapping[str, Collection[str]], values: Collection[str]) -> dict[str, int]:
        """By sync, how many rows of its state tell of who has these keys or values."""
        counts = {
            path.stem: sum(
                len(found) for found in _rows_of(state, keys.get(path.stem, ()), values).values()
            )
            for path, state in self._connections.items()
        }
        return {name: count for name, count in counts.items() if count}

    def erase(self, keys: Mapping[str, Collection[str]], values: Collection[str]) -> dict[str, int]:
        """Take them out; every file is written anew, since DuckDB leaves what was deleted in it."""
        counts = self.count(keys, values)
        for path, state in self._connections.items():
            doomed = _rows_of(state, keys.get(path.stem, ()), values)
            with replacing(path) as draft:
                for old in (draft, draft.with_name(f"{draft.name}.wal")):
                    old.unlink(missing_ok=True)
                state.execute(f"attach {text(str(draft))} as anew")
                create_tables(state, "anew")
                for table in _TABLES:
                    gone = doomed.get(table, [])
                    state.execute(
                        f"insert into anew.{table} by name select * from state.{table} "
                        "where rowid not in (select unnest($gone::bigint[]))",
                        {"gone": gone},
                    )
                state.execute("checkpoint anew; detach anew")
        return counts


@contextmanager
def holding_states(workspace: Workspace, *, read_only: bool = False) -> Iterator[States]:
    """Every sync's state; Busy names the sync that is running."""
    with ExitStack() as held:
        connections = {}
        for path in sorted(workspace.state.glob("*.duckdb")):
            state = held.enter_context(open_state(workspace, path.stem, read_only=read_only))
            if not read_only:  # no log may wait for a file that is replaced
                state.execute("checkpoint state")
            connections[path] = state
        yield States(connections)


def _rows_of(
    state: DuckDBPyConnection, keys: Collection[str], values: Collection[str]
) -> dict[str, list[int]]:
    """By table, the rowids of what tells of who has one of `keys`, or whose values these are."""
    doomed_keys = set(keys)
    accepted = state.execute("select rowid, key, fields from state.accepted")
    found: dict[str, list[int]] = {}
    while rows := accepted.fetchmany(_FETCHED_ROWS):
        for rowid, key, fields in rows:
            if (
                key in doomed_keys
                or _tells(key, values)
                or _tells(fields, values, at_least=_TELLING)
            ):
                doomed_keys.add(key)
                found.setdefault("accepted", []).append(rowid)
    outcomes = state.execute("select rowid, key, reason from state.outcomes")
    while rows := outcomes.fetchmany(_FETCHED_ROWS):
        for rowid, key, reason in rows:
            if key in doomed_keys or _tells(key, values) or _names(reason, values):
                found.setdefault("outcomes", []).append(rowid)
    for rowid, error in state.execute("select rowid, error from state.runs").fetchall():
        if _names(error, values):
            found.setdefault("runs", []).append(rowid)
    return found


def _tells(document: str, values: Collection[str], *, at_least: int = 0) -> bool:
    """Whether a value of the JSON object is one of `values` of at least so many characters."""
    return any(
        len(told) >= at_least and (told in values or told.strip(" ").lower() in values)
        for told in _scalars(decode_json(document))
    )


def _scalars(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _scalars(inner)
    elif value is not None:
        yield value if isinstance(value, str) else str(value)


def _names(message: str | None, values: Collection[str]) -> bool:
    if not message:
        return False
    lowered = message.lower()
    return any(len(value) >= _TELLING and value.lower() in lowered for value in values)


def drop_copies(workspace: Workspace) -> int:
    """Drop what BigQuery has of the syncs' states; a sync makes it anew. How many tables it was."""
    from google.api_core.exceptions import NotFound  # noqa: PLC0415 - slow

    from loader.sync.bigquery_copy import table_part  # noqa: PLC0415
    from loader.warehouse.bigquery.client import ASKED, STATE_DATASET  # noqa: PLC0415
    from loader.warehouse.bigquery.usage import metered  # noqa: PLC0415

    names = {path.stem for path in workspace.state.glob("*.duckdb")} | set(workspace.config.syncs)
    prefixes = tuple(
        f"{kind}_{table_part(name)}_" for name in names for kind in ("accepted", "diff")
    )
    dropped = 0
    with metered(workspace, "forget") as bigquery:
        dataset = f"{bigquery.config.project}.{STATE_DATASET}"
        with bigquery.asking(f"dataset {dataset}"):
            try:
                tables = list(bigquery.client.list_tables(dataset, **ASKED))
            except NotFound:
                return 0
            for table in tables:
                if table.table_id.startswith(prefixes):
                    bigquery.client.delete_table(table.reference, not_found_ok=True, **ASKED)
                    dropped += 1
    return dropped
