"""What tests ask BigQuery, of a workspace's datasets."""

from typing import Any

from loader.config import Workspace
from loader.warehouse.bigquery.client import connect_bigquery


def rows_of(workspace: Workspace, sql: str) -> list[tuple[Any, ...]]:
    """The rows that `sql` gives; `{raw}` is the dataset of raw tables, marts go without one."""
    asked = sql.format(raw=workspace.config.warehouse.raw_dataset)
    return [
        tuple(row) for row in connect_bigquery(workspace).query(asked, finds_marts=True).result()
    ]


def table_of(workspace: Workspace, name: str) -> Any:
    """What tables.get tells of a raw table."""
    connection = connect_bigquery(workspace)
    return connection.client.get_table(connection.raw(name))
