"""Raw tables by their metadata: how many rows each has, asked free of charge."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.bigquery import DEFAULT_RETRY

from loader.warehouse.bigquery.client import BigQuery

_AT_A_TIME: Final = 8
_ANSWER_SECONDS: Final = 10.0
_RETRY: Final = DEFAULT_RETRY.with_timeout(_ANSWER_SECONDS)  # a person waits


def count_rows(connection: BigQuery) -> dict[str, int]:
    """The rows of every raw table, by its name; {} before the first load.

    Rows that were streamed within the last minutes may be missing. Errors as `refused` gives.
    """
    dataset = f"{connection.config.project}.{connection.config.raw_dataset}"
    with connection.asking(f"dataset {dataset}"), ThreadPoolExecutor(_AT_A_TIME) as pool:
        return dict(
            sorted(pool.map(lambda table: _count(connection, table), _tables(connection, dataset)))
        )


def _tables(connection: BigQuery, dataset: str) -> Iterator[bigquery.TableReference]:
    try:
        found = connection.client.list_tables(dataset, retry=_RETRY, timeout=_ANSWER_SECONDS)
        for item in found:  # a name of ours begins with _, as that of a table on its way
            if item.table_type == "TABLE" and not item.table_id.startswith("_"):
                yield item.reference
    except exceptions.NotFound:
        return


def _count(connection: BigQuery, table: bigquery.TableReference) -> tuple[str, int]:
    found = connection.client.get_table(table, retry=_RETRY, timeout=_ANSWER_SECONDS)
    return table.table_id, found.num_rows or 0
