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
from loader.warehouse.bigquery.tables import ALL_DAYS

_ROWS = f"""
select load_id, count(*) as row_count
from {{table}}
where {ALL_DAYS} and load_id between @first and @last
group by load_id
"""


def rows_by_load(workspace: Workspace, table: str, first: int, last: int) -> Counter[int]:
    """How many rows the table has of each load from `first` to `last`; none if it was dropped."""
    warehouse = connect_bigquery(workspace)
    where = f"rebuild {table}"
    bounds = [
        bigquery.ScalarQueryParameter("first", "INT64", first),
        bigquery.ScalarQueryParameter("last", "INT64", last),
    ]
    with warehouse.asking(where):
        try:
            warehouse.client.get_table(warehouse.raw(table), **ASKED)
        except exceptions.NotFound:
            return Counter()
        sql = _ROWS.format(table=quote_name(warehouse.raw(table)))
        found = warehouse.query(sql, bounds, where=where).result()
        return Counter({row["load_id"]: row["row_count"] for row in found})
