"""Some rows of a raw table in BigQuery, to look at."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from google.cloud import bigquery

from loader.config import Workspace
from loader.warehouse.bigquery.client import connect_bigquery, quote_name
from loader.warehouse.manifest import read_manifest
from loader.warehouse.outbox import outgoing_columns

_ROWS = """
select * replace (if(_rescued is null, null, to_json_string(_rescued)) as _rescued)
from {table}
where received_at >= @since
order by received_at desc
limit @max_rows
"""


def newest_rows(
    workspace: Workspace, table: str, max_rows: int, since: date
) -> Iterator[dict[str, Any]]:
    """At most so many rows, the newest first, received on the day `since` or later, by column.

    `_rescued` is JSON text. Errors as `refused` gives.
    """
    connection = connect_bigquery(workspace)
    where = f"contracts infer: table {connection.raw(table)}"
    columns = outgoing_columns(read_manifest(workspace).catalog, table)
    ours = {outgoing: name for name, (outgoing, _) in columns.items()}
    parameters = [
        bigquery.ScalarQueryParameter("since", "TIMESTAMP", f"{since} 00:00:00+00"),
        bigquery.ScalarQueryParameter("max_rows", "INT64", max_rows),
    ]
    sql = _ROWS.format(table=quote_name(connection.raw(table)))
    with connection.asking(where):
        found = connection.query(sql, parameters, where=where).result()
        for batch in found.to_arrow_iterable(bqstorage_client=None):
            for row in batch.to_pylist():
                yield {ours.get(name, name): value for name, value in row.items()}
