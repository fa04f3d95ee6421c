"""Which loads a raw table in BigQuery has rows of."""

from collections import Counter

from google.api_core import exceptions
from google.cloud import bigquery

from loader.config import Workspace
from loader.warehouse.bigquery.client import (
    ASKED,
    connect_bigquery,
    quote_name,
)
from loader.warehouse.bigquery.errors import REFUSALS, refused

# The condition on the day is for tables that ask for one; it leaves nothing out.
_ROWS = """
select load_id, count(*) as row_count
from {table}
where received_at >= timestamp '0001-01-01 00:00:00+00' and load_id between @first and @last
group by load_id
"""


def rows_by_load(workspace: Workspace, table: str, first: int, last: int) -> Counter[int]:
    """How many rows the table has of each load from `first` to `last`; none if it was dropped."""
    warehouse = connect_bigquery(workspace)
    where = f"rebuild {table}"
    try:
        warehouse.client.get_table(warehouse.raw(table), **ASKED)
    except exceptions.NotFound:
        return Counter()
    except REFUSALS as problem:
        raise refused(where, problem, location=warehouse.config.location) from problem
    bounds = [
        bigquery.ScalarQueryParameter("first", "INT64", first),
        bigquery.ScalarQueryParameter("last", "INT64", last),
    ]
    sql = _ROWS.format(table=quote_name(warehouse.raw(table)))
    try:
        found = warehouse.query(sql, bounds, where=where).result()
        return Counter({row["load_id"]: row["row_count"] for row in found})
    except REFUSALS as problem:
        raise refused(where, problem, location=warehouse.config.location) from problem
