"""Reads tables of BigQuery as Arrow: by the Storage Read API, or by REST where that fails."""

import logging
from collections.abc import Callable, Iterator
from typing import Final

import pyarrow as pa
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import types

from loader.errors import LoaderError
from loader.warehouse.bigquery.client import ASKED, BigQuery
from loader.warehouse.bigquery.errors import REFUSALS, refused

_ANSWER_SECONDS: Final = 30.0
_log = logging.getLogger(__name__)


def copy_rows(
    connection: BigQuery,
    table: str,
    take: Callable[[pa.RecordBatch], None],
    forget: Callable[[], None],
) -> None:
    """Give every row of `table` to `take`; few are in memory at a time.

    If the Storage Read API fails, a warning says so, `forget` is called, and all rows come again
    by REST, which is slower. Errors as `refused` gives, if that fails too.
    """
    try:
        for batch in _stored(connection, table):
            take(batch)
    except REFUSALS as problem:
        _log.warning("%s", _advice(refused(f"table {table}: Storage Read API", problem)))
        forget()
        with connection.asking(f"table {table}"):
            rows = connection.client.list_rows(table, **ASKED)
            for batch in rows.to_arrow_iterable(bqstorage_client=None):
                take(batch)


def open_session(connection: BigQuery, table: str) -> types.ReadSession:
    """A session of the Storage Read API for all rows of `table`; raises as the client does."""
    reference = bigquery.TableReference.from_string(table)
    wanted = types.ReadSession(
        table=reference.path.removeprefix("/"), data_format=types.DataFormat.ARROW
    )
    return connection.reader.create_read_session(
        parent=f"projects/{connection.config.project}",
        read_session=wanted,
        retry=None,  # where it isn't reachable REST answers at once
        timeout=_ANSWER_SECONDS,
    )


def _stored(connection: BigQuery, table: str) -> Iterator[pa.RecordBatch]:
    session = open_session(connection, table)
    schema = pa.ipc.read_schema(pa.py_buffer(session.arrow_schema.serialized_schema))
    for stream in session.streams:
        for answer in connection.reader.read_rows(stream.name):
            batch = pa.py_buffer(answer.arrow_record_batch.serialized_record_batch)
            yield pa.ipc.read_record_batch(batch, schema)


def _advice(problem: LoaderError) -> str:
    return (
        f"{problem.message}; rows come by REST, which is slower. To mend it, enable the API "
        "bigquerystorage.googleapis.com and grant roles/bigquery.readSessionUser"
    )
