"""The project's models in a workspace, and the tables that they become in either warehouse."""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from shutil import copyfile, copytree
from typing import Any

import sqlglot
from sqlglot import exp

from loader.config import Workspace
from loader.warehouse import connect
from loader.warehouse.bigquery.client import connect_bigquery, quote_name
from tests.conftest import ROOT

MARTS = (
    "users",
    "user_identifiers",
    "user_traits",
    "groups",
    "user_groups",
    "group_memberships",
    "sessions",
    "events",
    "orders",
    "order_items",
    "computed_traits",
    "audience_memberships",
    "audience_big_spenders",
    "int_identifiers",
    "id_graph",
    "id_graph_updates",
    "profile_merges",
    "identity_demoted",
    "int_identity_sets",
    "int_canonical_ids",
    "int_events",
)
MODELS_ONLY = ("--exclude-resource-types", "test", "unit_test")
# Which load, which run and which loader's numbers: not what happened.
_OF_THE_RUN = {"load_id", "computed_at", "_seq", "first_seq", "set_seq", "seq"}
Table = Counter[tuple[tuple[str, Any], ...]]


def add_models(workspace: Workspace) -> Workspace:
    """Put the dbt project into the workspace."""
    for name in ("dbt_project.yml", "profiles.yml"):
        copyfile(ROOT / name, workspace.root / name)
    copytree(ROOT / "dbt_project", workspace.root / "dbt_project")
    return workspace


def read_mart(workspace: Workspace, table: str) -> Table:
    """The rows of a table that dbt built, as values by column, whatever their order."""
    if workspace.config.warehouse.is_bigquery:
        connection = connect_bigquery(workspace)
        found = connection.query(f"select * from {quote_name(connection.mart(table))}").result()
        rows = [dict(row.items()) for row in found]
    else:
        with connect(workspace) as duckdb:
            asked = duckdb.execute(f'select * from analytics."{table}"')
            names = [column[0] for column in asked.description]
            rows = [dict(zip(names, row, strict=True)) for row in asked.fetchall()]
    return Counter(_values(row) for row in rows)


def read_marts(workspace: Workspace) -> dict[str, Table]:
    return {table: read_mart(workspace, table) for table in MARTS}


def _values(row: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """By the names that BigQuery has: `_` before one that begins with a digit."""
    named = {f"_{name}" if name[0].isdigit() else name: value for name, value in row.items()}
    return tuple(sorted((n, _value(v)) for n, v in named.items() if n not in _OF_THE_RUN))


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return value.normalize() if isinstance(value, Decimal) else value


def models_of(workspace: Workspace, kind: str = "compiled") -> dict[str, list[exp.Expr]]:
    """The SQL of each model in dbt's last run (`run`: as executed), parsed as BigQuery's."""
    return {
        path.stem: parse(path)
        for path in sql_files(workspace, kind)
        if path.parent.suffix != ".yml" and "models" in path.parts
    }


def checks_of(workspace: Workspace) -> dict[str, list[exp.Expr]]:
    """The same for data tests and unit tests."""
    models = models_of(workspace)
    files = sql_files(workspace, "compiled")
    return {path.stem: parse(path) for path in files if path.stem not in models}


def sql_files(workspace: Workspace, kind: str) -> list[Path]:
    return sorted((workspace.dbt / "target" / kind).rglob("*.sql"))


def parse(path: Path) -> list[exp.Expr]:
    return [found for found in sqlglot.parse(path.read_text(), dialect="bigquery") if found]


def scans_of(statements: list[exp.Expr], tables: Collection[str]) -> list[exp.Select]:
    """The selects that read one of `tables` themselves."""
    return [
        select
        for statement in statements
        for select in statement.find_all(exp.Select)
        if any(source.name in tables for source in _sources(select))
    ]


def _sources(select: exp.Select) -> Iterator[exp.Expr]:
    joins = select.args.get("joins") or []
    for place in [select.args.get("from_") or select.args.get("from"), *joins]:
        if place is not None:
            yield place.this


def names_days(condition: exp.Expr | None, table: str = "") -> bool:
    """Whether the day of receipt is asked to be one of those that stand there, or nothing is."""
    if condition is None:
        return False
    if isinstance(condition.this, exp.Boolean) and not condition.this.this:
        return True
    return any(
        any(c.name in ("_date", "received_at") and c.table in ("", table) for c in columns)
        and all(
            isinstance(e, exp.Cast) and isinstance(e.this, exp.Literal) for e in found.expressions
        )
        for found in condition.find_all(exp.In)
        if found.expressions and (columns := list(found.this.find_all(exp.Column)))
    )
