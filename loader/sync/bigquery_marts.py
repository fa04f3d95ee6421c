"""The marts in BigQuery: it compares them with a copy of what was accepted, and only what differs
comes here.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import uuid4

import pyarrow as pa
from duckdb import DuckDBPyConnection
from google.api_core import exceptions
from google.cloud.bigquery import SchemaField

from loader.config import Workspace
from loader.errors import ConfigError
from loader.sync.bigquery_copy import copy_accepted, table_part
from loader.sync.bigquery_json import json_sql
from loader.sync.marts import Source, ToJson
from loader.warehouse.bigquery.client import (
    ASKED,
    BigQuery,
    quote_name,
    quote_text,
)
from loader.warehouse.bigquery.reading import copy_rows
from loader.warehouse.bigquery.usage import metered
from loader.warehouse.views import text

_FLAG: Final = SchemaField("flag", "BOOLEAN")

# A user who vanished from an audience has no fields here: what they were the state knows. The row
# without key counts all rows, those who vanished included. It expires if nobody reads it.
_DIFF: Final = """
create table {diff}
options (expiration_timestamp = timestamp_add(current_timestamp(), interval 1 day)) as
with source as ({rows}),
counted as (
    select key, fields, null_key, count(*) over (partition by key) as copies from source
),
compared as (
    select
        coalesce(counted.key, accepted.key) as key,
        counted.fields,
        counted.null_key,
        counted.copies,
        case
            when counted.key is null then accepted.is_member
            else counted.null_key is not null
                or counted.copies > 1
                or accepted.fields_hash is null
                or accepted.fields_hash <> to_hex(md5(counted.fields))
        end as differs
    from counted
    full join {accepted} as accepted on accepted.key = counted.key
)
select key, fields, null_key, copies from compared where differs
union all
select cast(null as string), cast(null as string), cast(null as string), count(*)
from compared where differs is not null
"""
_FOUND: Final = (
    "create temp table found (key varchar, fields varchar, null_key varchar, copies bigint)"
)
_CANDIDATES: Final = """
create temp view candidates as
select
    found.key,
    coalesce(found.fields, replace(accepted.fields, {member}, {departed})) as fields,
    found.null_key,
    coalesce(found.copies, 1) as copies
from found
left join state.accepted as accepted on found.fields is null and accepted.key = found.key
where found.key is not null
"""


@dataclass(frozen=True)
class BigQueryMarts:
    """The dataset of marts, and the DuckDB connection that what differs is brought to."""

    bigquery: BigQuery
    workspace: Workspace
    sync: str
    connection: DuckDBPyConnection
    quote = staticmethod(quote_name)
    text = staticmethod(quote_text)

    def tables(self) -> set[str]:
        """See Marts."""
        dataset = f"{self.bigquery.config.project}.{self.bigquery.config.dataset}"
        with self.bigquery.asking(f"dataset {dataset}"):
            try:
                listed = self.bigquery.client.list_tables(dataset, **ASKED)
                found = {table.table_id for table in listed}
            except exceptions.NotFound:
                found = set()
        if not found:
            raise ConfigError(
                f"{dataset}: the marts are not there yet", fix="run `headwater transform` first"
            )
        return found

    def columns(self, table: str) -> Mapping[str, ToJson]:
        """See Marts."""
        name = self.bigquery.mart(table)
        with self.bigquery.asking(f"table {name}"):
            schema = self.bigquery.client.get_table(name, **ASKED).schema
        return {column.name: partial(json_sql, field=column) for column in schema}

    def boolean(self, value: str) -> str:
        """See Marts."""
        return json_sql(value, _FLAG)

    def any_true(self, value: str) -> str:
        """See Marts."""
        return f"logical_or({value})"

    def table(self, name: str) -> str:
        """See Marts."""
        return quote_name(self.bigquery.mart(name))

    def find(self, source: Source) -> int:
        """See Marts; what differs is found in BigQuery."""
        accepted = copy_accepted(self.bigquery, self.workspace, self.connection, self.sync, source)
        diff = self.bigquery.state(f"diff_{table_part(self.sync)}_{uuid4().hex}")
        statement = _DIFF.format(
            diff=quote_name(diff), rows=source.rows, accepted=quote_name(accepted)
        )
        self.bigquery.query(statement, where=f"sync {self.sync}")
        self.connection.execute(_FOUND)
        copy_rows(self.bigquery, diff, self._take, self._forget)
        with self.bigquery.asking(f"table {diff}"):
            self.bigquery.client.delete_table(diff, not_found_ok=True, **ASKED)
        member, departed = (source.member, source.departed) if source.flag else ("", "")
        self.connection.execute(_CANDIDATES.format(member=text(member), departed=text(departed)))
        count = "select copies from found where key is null"
        total = self.connection.execute(count).fetchone()
        return int(total[0]) if total else 0

    def _take(self, batch: pa.RecordBatch) -> None:
        self.connection.from_arrow(batch).insert_into("found")

    def _forget(self) -> None:
        self.connection.execute("delete from found")


@contextmanager
def open_bigquery_marts(
    workspace: Workspace, sync: str, connection: DuckDBPyConnection
) -> Iterator[BigQueryMarts]:
    """As `open_marts`; what the queries read is recorded when the block ends."""
    with metered(workspace, f"sync {sync}") as bigquery:
        yield BigQueryMarts(bigquery, workspace, sync, connection)
    connection.execute("drop view candidates; drop table found")
