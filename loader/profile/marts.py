"""The published marts, asked read-only: one SQL for DuckDB and BigQuery."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from loader.config import Workspace
from loader.errors import ConfigError, LoaderError
from loader.warehouse import connect

Row = dict[str, Any]
_Answer = tuple[list[str], list[tuple[Any, ...]]]  # columns, rows

_WHERE: Final = "profile"
PROFILES: Final = frozenset(  # what shows and corrects a profile reads
    {
        *("int_identifiers", "int_identity_sets", "int_identity_evidence", "int_identity_log"),
        *("user_identifiers", "id_graph", "profile_merges", "profile_splits", "identity_demoted"),
        *("identity_overrides", "events"),
    }
)


@dataclass(frozen=True)
class Marts:
    """The tables and views that the last transform left, by their plain names."""

    tables: Collection[str]
    _ask: Callable[[str, Mapping[str, str]], _Answer]

    def ask(self, sql: str, **values: str) -> list[Row]:
        """The rows of `sql`, by column; `$name` in it stands for the text `name` of `values`.

        Times are in UTC. LoaderError if the warehouse refuses.
        """
        columns, rows = self._ask(sql, values)
        return [dict(zip(columns, row, strict=True)) for row in rows]


def open_marts(
    workspace: Workspace, needed: Collection[str] = PROFILES
) -> AbstractContextManager[Marts]:
    """The marts of `workspace`, of use until the block ends.

    Raises ConfigError if one of those `needed` is not there (yet).
    """
    is_bigquery = workspace.config.warehouse.is_bigquery
    return _open_bigquery(workspace, needed) if is_bigquery else _open_duckdb(workspace, needed)


@contextmanager
def _open_duckdb(workspace: Workspace, needed: Collection[str]) -> Iterator[Marts]:
    with connect(workspace) as connection:
        known = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'analytics'"
        )
        tables = {name for (name,) in known.fetchall()}
        _check(tables, needed, str(workspace.warehouse))
        if tables:
            connection.execute("set search_path = 'analytics'")

        def ask(sql: str, values: Mapping[str, str]) -> _Answer:
            try:
                answer = connection.execute(sql, dict(values))
                return [column[0] for column in answer.description or []], answer.fetchall()
            except duckdb.Error as problem:
                raise LoaderError(
                    f"{workspace.warehouse}: {str(problem).strip()}",
                    fix="`headwater transform` builds the marts as this version reads them",
                ) from problem

        yield Marts(tables, ask)


@contextmanager
def _open_bigquery(workspace: Workspace, needed: Collection[str]) -> Iterator[Marts]:
    from google.api_core.exceptions import NotFound  # noqa: PLC0415 - slow
    from google.cloud.bigquery import ScalarQueryParameter  # noqa: PLC0415

    from loader.warehouse.bigquery.client import ASKED  # noqa: PLC0415
    from loader.warehouse.bigquery.query import fetch  # noqa: PLC0415
    from loader.warehouse.bigquery.usage import metered  # noqa: PLC0415

    with metered(workspace, _WHERE) as bigquery:
        dataset = f"{bigquery.config.project}.{bigquery.config.dataset}"
        with bigquery.asking(f"dataset {dataset}"):
            try:
                listed = bigquery.client.list_tables(dataset, **ASKED)
                tables = {table.table_id for table in listed}
            except NotFound:
                tables = set()
        _check(tables, needed, dataset)

        def ask(sql: str, values: Mapping[str, str]) -> _Answer:
            given = [ScalarQueryParameter(name, "STRING", text) for name, text in values.items()]
            return fetch(bigquery, sql.replace("$", "@"), parameters=given, where=_WHERE)

        yield Marts(tables, ask)


def _check(tables: Collection[str], needed: Collection[str], where: str) -> None:
    missing = sorted(set(needed).difference(tables))
    if missing:
        raise ConfigError(
            f"{where}: {missing[0]} is not there yet: profiles are what a transform builds",
            fix="run `headwater transform` first",
        )
