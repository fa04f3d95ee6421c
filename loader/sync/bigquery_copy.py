"""A copy in BigQuery of what a destination accepted: as much as it takes to see what differs.

The truth is the state file. A copy is named for its content, made whole by one load job and never
changed, so that none can be out of date: another state has another copy, and one that was lost is
made again. Loads are free of charge; a copy that nobody used for some days removes itself.
"""

import re
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from duckdb import DuckDBPyConnection
from google.api_core import exceptions
from google.cloud import bigquery

from loader.config import Workspace
from loader.sync.marts import Source
from loader.warehouse.bigquery.client import STATE_DATASET, BigQuery
from loader.warehouse.bigquery.datasets import ensure_dataset
from loader.warehouse.views import text

_KEPT: Final = timedelta(days=3)
_SCHEMA: Final = [
    bigquery.SchemaField("key", "STRING"),
    bigquery.SchemaField("fields_hash", "STRING"),
    bigquery.SchemaField("is_member", "BOOLEAN"),
]
# `is_member` is NULL where no audience is synced. No two rows are equal: none cancels another out.
_CONTENT: Final = """
select key, md5(fields) as fields_hash, {is_member} as is_member from state.accepted
"""
_NAME: Final = """
select concat(count(*), ' ', bit_xor(md5_number(concat_ws(chr(10), key, fields_hash, is_member))))
from ({content})
"""


def table_part(sync: str) -> str:
    """What a table's name may hold of a sync's: for people, it need not be unique."""
    return re.sub(r"[^A-Za-z0-9]+", "_", sync)[:60]


def copy_accepted(
    connection: BigQuery,
    workspace: Workspace,
    state: DuckDBPyConnection,
    name: str,
    source: Source,
) -> str:
    """The table (key, fields_hash, is_member) that holds what is in `state.accepted` now."""
    is_member = f"contains(fields, {text(source.member)})" if source.flag else "null::boolean"
    content = _CONTENT.format(is_member=is_member)
    [told] = state.execute(_NAME.format(content=content)).fetchone() or ("",)
    digest = md5(told.encode(), usedforsecurity=False).hexdigest()
    table = bigquery.Table(connection.state(f"accepted_{table_part(name)}_{digest}"))
    with connection.asking(f"sync {name}: table {table}"):
        if not _keep(connection, table):
            ensure_dataset(connection, STATE_DATASET)
            _load(connection, workspace, state, content, table)
            _keep(connection, table)
    return str(table)


def _keep(connection: BigQuery, table: bigquery.Table) -> bool:
    """Let the table stay for some days more; False if it isn't there."""
    table.expires = datetime.now(UTC) + _KEPT
    try:
        connection.client.update_table(table, ["expires"])
    except exceptions.NotFound:
        return False
    return True


def _load(
    connection: BigQuery,
    workspace: Workspace,
    state: DuckDBPyConnection,
    content: str,
    table: bigquery.Table,
) -> None:
    options = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET,
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
        schema=_SCHEMA,
    )
    workspace.home.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=workspace.home) as folder:
        path = Path(folder) / "accepted.parquet"
        state.execute(f"copy ({content}) to {text(str(path))} (format parquet)")
        with path.open("rb") as file:
            connection.client.load_table_from_file(
                file, table.reference, job_config=options
            ).result()
