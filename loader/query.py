"""Ad-hoc SQL on the published warehouse, read-only."""

from dataclasses import dataclass
from typing import Any, Final

import duckdb

from loader.config import Workspace
from loader.errors import LoaderError
from loader.warehouse import connect

Answer = tuple[list[str], list[tuple[Any, ...]]]  # columns, rows

_READS_ONLY: Final = (
    "`headwater query` only reads; to change a table, change its model in dbt_project/"
)


@dataclass(frozen=True)
class Result:
    """What a query gave; `is_cut` says that there are more rows than were asked for."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    is_cut: bool


def run_query(workspace: Workspace, sql: str, *, max_rows: int) -> Result:
    """The first `max_rows` rows of `sql`; marts are found without the schema's name."""
    ask = _ask_bigquery if workspace.config.warehouse.is_bigquery else _ask_duckdb
    columns, rows = ask(workspace, sql, max_rows + 1)
    return Result(columns, rows[:max_rows], is_cut=len(rows) > max_rows)


def _ask_duckdb(workspace: Workspace, sql: str, max_rows: int) -> Answer:
    with connect(workspace) as connection:
        try:
            connection.execute(f"set search_path = '{_search_path(connection)}'")
            answer = connection.execute(sql)
            columns = [column[0] for column in answer.description or []]
            return columns, answer.fetchmany(max_rows) if columns else []
        except duckdb.Error as problem:
            raise _refused(problem) from problem


def _ask_bigquery(workspace: Workspace, sql: str, max_rows: int) -> Answer:
    from loader.warehouse.bigquery.query import fetch, is_select  # noqa: PLC0415 - slow
    from loader.warehouse.bigquery.usage import metered  # noqa: PLC0415

    with metered(workspace, "query") as bigquery:
        if not is_select(bigquery, sql):
            raise LoaderError("query: wanted one SELECT", fix=_READS_ONLY)
        return fetch(bigquery, sql, max_rows)


def _search_path(connection: duckdb.DuckDBPyConnection) -> str:
    """analytics first, once a transform has made it."""
    known = "select 1 from duckdb_schemas() where schema_name = 'analytics'"
    return "analytics,main" if connection.execute(known).fetchone() else "main"


def _refused(problem: duckdb.Error) -> LoaderError:
    message = str(problem).strip()
    if "read-only" in message:
        fix = _READS_ONLY
    elif isinstance(problem, duckdb.IOException):
        fix = "a file of the lake is missing or damaged: restore it from a backup"
    elif isinstance(problem, duckdb.CatalogException):
        fix = "`headwater status` lists the raw tables; `headwater transform` builds the marts"
    elif isinstance(problem, duckdb.ParserException):
        fix = "check the statement; in a shell, put it in single quotes or pass - and use stdin"
    else:
        fix = "check the statement"
    return LoaderError(f"query: {message}", fix=fix)
