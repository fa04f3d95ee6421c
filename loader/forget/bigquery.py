"""A person's rows in BigQuery: found, and deleted together with what the log of loads says of them.

Rows of all loaders that share the datasets are the person's alike. Each table is one transaction.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final

from google.api_core import exceptions
from google.cloud.bigquery import ArrayQueryParameter

from loader.config import Workspace
from loader.event.identifiers import EMAIL, Identifier
from loader.forget.doomed import Lacking
from loader.locks import exclusive
from loader.protocol import encode_json
from loader.warehouse import Manifest, columns_of
from loader.warehouse.bigquery.client import ASKED, BigQuery, quote_name, quote_text
from loader.warehouse.bigquery.commit import read_loads
from loader.warehouse.bigquery.ship import ship_waiting
from loader.warehouse.bigquery.shipment import read_shipping
from loader.warehouse.bigquery.tables import ALL_DAYS
from loader.warehouse.bigquery.usage import metered
from loader.warehouse.catalog import is_log
from loader.warehouse.erasing import TELLS_OF, VIOLATIONS

_WHERE: Final = "forget"
_AT_ONCE: Final = 5_000  # ids of a query, whose parameters are 10 MB at most
_MAX_LISTED: Final = 400_000  # characters of ids in a script; BigQuery takes 1 MB
_LOADS_AT_ONCE: Final = 1_000  # of which a statement tells what they lack
_LOADS: Final = "loads"


@contextmanager
def holding_shipments(workspace: Workspace) -> Iterator[None]:
    """Nothing is sent meanwhile; what waited here before is there."""
    with exclusive(workspace.home / "ship.lock", "shipment", wait=True):
        ship_waiting(workspace, read_shipping(workspace))
        yield


@contextmanager
def open_raw(workspace: Workspace) -> Iterator["RawDataset"]:
    """The workspace's raw tables in BigQuery; what its queries read is recorded."""
    with metered(workspace, _WHERE) as connection:
        yield RawDataset(connection)


class RawDataset:
    """The raw tables of a dataset; see RawRows."""

    def __init__(self, connection: BigQuery) -> None:
        self._connection = connection

    def ids_of(self, identifiers: Collection[Identifier]) -> set[str]:
        """See RawRows."""
        values: dict[str, list[str]] = {}
        for identifier in sorted(identifiers):
            values.setdefault(identifier.type, []).append(identifier.value)
        given = [
            ArrayQueryParameter(f"values_{number}", "STRING", some)
            for number, some in enumerate(values.values())
        ]
        found: set[str] = set()
        for table, columns in self._event_tables:
            conditions = [
                f"{_compared(name, type_)} in unnest(@values_{number})"
                for number, type_ in enumerate(values)
                for name in columns_of(type_, columns)
            ]
            if conditions:
                found |= self._ids(table, " or ".join(conditions), given)
        return found

    def ids_that_tell_of(self, message_ids: Collection[str]) -> set[str]:
        """See RawRows."""
        name, column = TELLS_OF
        found: set[str] = set()
        for table, columns in self._event_tables:
            if table == name and column in columns:
                for given in _in_parts(message_ids):
                    found |= self._ids(table, f"{column} in unnest(@ids)", [given])
        return found

    def violations(self) -> Iterator[tuple[str, str]]:
        """See RawRows."""
        if VIOLATIONS in self._tables:
            for id_, payload in self._rows(VIOLATIONS, "message_id, payload", "true"):
                yield id_, encode_json(payload).decode()

    def count_rows(self, ids: Collection[str]) -> dict[str, int]:
        """See RawRows."""
        counts: Counter[str] = Counter()
        for table, _ in self._event_tables:
            for given in _in_parts(ids):
                [[count]] = self._rows(table, "count(*)", "id in unnest(@ids)", [given])
                counts[table] += count
        return {table: count for table, count in counts.items() if count}

    def erase(self, ids: Collection[str], message_ids: Collection[str]) -> None:
        """Delete events by their ids, and violations by their messages'."""
        for table, _ in self._event_tables:
            self._delete(table, "id", ids)
        if VIOLATIONS in self._tables:
            self._delete(VIOLATIONS, "message_id", message_ids)

    def lacking(self, workspace: Workspace, manifest: Manifest) -> Lacking:
        """How many rows less loads of this workspace have there than its own log says."""
        logged = read_loads(workspace, manifest, 0, manifest.next_load_id)
        if not logged or _LOADS not in self._tables:
            return {}
        first, last = logged[0].load_id, logged[-1].load_id
        sql = (
            f"select load_id, table_name, sum(`rows`) from {self._name(_LOADS)} "
            f"where load_id between {first} and {last} group by load_id, table_name"
        )
        there = {
            (row[0], row[1]): row[2] for row in self._connection.query(sql, where=_WHERE).result()
        }
        here: Counter[tuple[int, str]] = Counter()
        for row in logged:
            here[row.load_id, row.table_name] += row.rows
        return {key: rows - there[key] for key, rows in here.items() if rows > there.get(key, rows)}

    def _delete(self, table: str, column: str, ids: Collection[str]) -> None:
        """Some at a time, with what the log of loads says of them."""
        for listed in _listed(ids):
            condition = f"{column} in ({listed})"
            loads = self._rows(table, "load_id, count(*)", f"{condition} group by load_id")
            if not loads:
                continue
            script = ";\n".join(
                [
                    "begin transaction",
                    *self._relogging(table, dict(map(tuple, loads))),
                    f"delete from {self._name(table)} where {ALL_DAYS} and {condition}",
                    "commit transaction;",
                ]
            )
            self._connection.query(script, where=_WHERE)

    def _relogging(self, table: str, counts: dict[int, int]) -> Iterator[str]:
        if _LOADS not in self._tables:
            return
        ids = sorted(counts)
        for start in range(0, len(ids), _LOADS_AT_ONCE):
            some = ids[start : start + _LOADS_AT_ONCE]
            cases = " ".join(f"when {load_id} then {counts[load_id]}" for load_id in some)
            listed = ", ".join(map(str, some))
            yield (
                f"update {self._name(_LOADS)} set `rows` = `rows` - case load_id {cases} end "
                f"where table_name = {quote_text(table)} and load_id in ({listed})"
            )

    def _ids(self, table: str, condition: str, given: Sequence[ArrayQueryParameter]) -> set[str]:
        return {row[0] for row in self._rows(table, "distinct id", f"({condition})", given)}

    def _rows(
        self,
        table: str,
        selected: str,
        condition: str,
        given: Sequence[ArrayQueryParameter] = (),
    ) -> list[Sequence[Any]]:
        sql = f"select {selected} from {self._name(table)} where {ALL_DAYS} and {condition}"
        job = self._connection.query(sql, given, where=_WHERE)
        with self._connection.asking(_WHERE):
            return list(job.result())

    def _name(self, table: str) -> str:
        return quote_name(self._connection.raw(table))

    @property
    def _event_tables(self) -> Iterator[tuple[str, Collection[str]]]:
        for table, columns in sorted(self._tables.items()):
            if not is_log(table) and "id" in columns:
                yield table, columns

    @cached_property
    def _tables(self) -> dict[str, set[str]]:
        """Every raw table's columns; those on their way to another one (`_…`) are none."""
        config = self._connection.config
        dataset = f"{config.project}.{config.raw_dataset}"
        client = self._connection.client
        with self._connection.asking(f"dataset {dataset}"):
            try:
                listed = [item.reference for item in client.list_tables(dataset, **ASKED)]
            except exceptions.NotFound:
                return {}
            wanted = [table for table in listed if not table.table_id.startswith("_")]
            return {
                table.table_id: {field.name for field in client.get_table(table, **ASKED).schema}
                for table in wanted
            }


def stale_marts(workspace: Workspace) -> list[str]:
    """Tables of the marts' dataset that the last build did not make anew."""
    path = workspace.dbt / "target" / "manifest.json"
    if not path.is_file():
        return []
    nodes = json.loads(path.read_text(encoding="utf-8"))["nodes"].values()
    built = {node.get("alias") or node["name"] for node in nodes}
    with metered(workspace, _WHERE) as connection:
        dataset = f"{connection.config.project}.{connection.config.dataset}"
        with connection.asking(f"dataset {dataset}"):
            found = {item.table_id for item in connection.client.list_tables(dataset, **ASKED)}
    return sorted(f"{dataset}.{name}" for name in found - built)


def _compared(column: str, type_: str) -> str:
    value = f"cast({quote_name(column)} as string)"
    return f"lower(trim({value}, ' '))" if type_ == EMAIL else value


def _listed(ids: Collection[str]) -> Iterator[str]:
    """The ids as literals, in lists that leave a script room."""
    part: list[str] = []
    size = 0
    for literal in map(quote_text, sorted(ids)):
        if part and size + len(literal) > _MAX_LISTED:
            yield ", ".join(part)
            part, size = [], 0
        part.append(literal)
        size += len(literal) + 2
    if part:
        yield ", ".join(part)


def _in_parts(ids: Collection[str]) -> Iterator[ArrayQueryParameter]:
    listed = sorted(ids)
    for start in range(0, len(listed), _AT_ONCE):
        yield ArrayQueryParameter("ids", "STRING", listed[start : start + _AT_ONCE])
