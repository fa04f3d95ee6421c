"""One column of one raw table in BigQuery takes another type, whatever other loaders do meanwhile.

    1. `_retyped_x` is added, and gets the values that SQL surely converts as Python would;
    2. one statement makes it `x`, and `x` `_retired_x`: from now on no value of the old type comes;
    3. what came before that is converted too, the rest is done here and merged, row by row;
    4. `_retired_x`, of which nothing is missing, is dropped.

How far it is, the table's own columns tell. No event brings a column whose name begins with `_`.
"""

import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from google.cloud import bigquery

from loader.errors import Unavailable
from loader.event.values import ARROW, MAX_EXACT_INT, TIMESTAMP_ARROW, ColumnType
from loader.warehouse.bigquery.casts import exact_cast
from loader.warehouse.bigquery.client import BigQuery, quote_name
from loader.warehouse.bigquery.jobs import JOB_SECONDS, RETRY, as_json, send_file
from loader.warehouse.bigquery.tables import (
    ALL_DAYS,
    SQL_TYPES,
    TYPES,
    drop_waiting_table,
    make_waiting_table,
    retired_name,
    retyped_name,
)
from loader.warehouse.outbox import outgoing_name
from loader.warehouse.rewriting import ColumnRewrite, TableRewrite

# A document with a number that BigQuery can't store is a JSON string of its text.
RESCUED: Final = (
    "if(_rescued is null, null, coalesce(json_value(_rescued, '$'), to_json_string(_rescued)))"
)
_PAGE_ROWS: Final = 20_000
_KINDS: Final = {there: kind for kind, there in TYPES.items()}


@dataclass
class StoredTable:
    """A raw table in BigQuery and its columns, by name as they are there."""

    connection: BigQuery
    name: str
    columns: dict[str, str]  # name -> type, as tables.get spells it

    @property
    def sql(self) -> str:
        """Its name in SQL."""
        return quote_name(self.connection.raw(self.name))

    @property
    def where(self) -> str:
        """How messages call it."""
        return f"compact: retype {self.connection.raw(self.name)}"

    def ask(self, sql: str, parameters: Sequence[Any] = ()) -> bigquery.QueryJob:
        """The finished job of `sql`; errors as `refused` gives."""
        return self.connection.query(sql, parameters, where=self.where)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[pa.RecordBatch]:
        """The rows of `sql`, some at a time."""
        job = self.ask(sql, parameters)
        with self.connection.asking(self.where):
            yield from job.result(page_size=_PAGE_ROWS).to_arrow_iterable(bqstorage_client=None)

    def alter(self, change: str) -> None:
        """Change its columns."""
        self.ask(f"alter table {self.sql} {change}")

    def kind_of(self, column: str) -> ColumnType | None:
        """The type of the column called so there, None if there is none."""
        return _KINDS.get(self.columns.get(column, ""))

    def has_big_ints(self, name: str) -> bool:
        """Whether the column `name` of whole numbers has one that no float could be."""
        column = quote_name(outgoing_name(name))
        limits = f"not between -{MAX_EXACT_INT} and {MAX_EXACT_INT}"
        sql = f"select countif({column} {limits}) from {self.sql} where {ALL_DAYS}"
        return bool(self.connection.value(sql, where=self.where))


class ColumnRetype:
    """The column `change.name` of `table` on its way from the type `change.old` to `change.new`.

    `pointers` are the keys of `_rescued` that may hold its values, as they stand in JSON.
    """

    def __init__(
        self, table: StoredTable, change: ColumnRewrite, pointers: Collection[str], draft: Path
    ) -> None:
        name = outgoing_name(change.name)
        self._table = table
        self._change = change
        self._pointers = pointers
        self._draft = draft
        self._waiting = f"_waiting_retype_{secrets.token_hex(8)}"
        self._name, self._new, self._old = name, retyped_name(name), retired_name(name)

    def begin(self) -> None:
        """Steps 1 and 2, unless they are done."""
        kind = TYPES[self._change.new]
        if self._table.columns.get(self._new, kind) != kind:
            self._table.alter(f"drop column {quote_name(self._new)}")
        if self._table.columns.get(self._new) != kind:
            sql_type = SQL_TYPES.get(kind, kind)
            self._table.alter(f"add column if not exists {quote_name(self._new)} {sql_type}")
        self._convert(self._new, self._name)
        self._table.alter(
            f"rename column {quote_name(self._name)} to {quote_name(self._old)}, "
            f"rename column {quote_name(self._new)} to {quote_name(self._name)}"
        )

    def finish(self) -> None:
        """Steps 3 and 4. Raises Unavailable if some value is still where it was."""
        self._convert(self._name, self._old)
        self.take_back()
        sql = f"select count(*) {self._unconverted()}"
        left = self._table.connection.value(sql, where=self._table.where)
        if left:
            raise Unavailable(
                f"{self._table.where}: {left:,} rows came to the column {self._name} meanwhile",
                fix="stop other loaders, then repeat the command",
            )
        self._table.alter(f"drop column if exists {quote_name(self._old)}")

    def take_back(self) -> None:
        """Rewrite the rows whose place is empty, though a value was in it, or is in `_rescued`."""
        first = last = None
        with pq.ParquetWriter(self._draft, self._draft_schema()) as draft:
            for rows in filter(len, self._rewritten()):
                draft.write_table(rows)
                found = pc.min_max(rows["received_at"]).as_py()
                first = min(first or found["min"], found["min"])
                last = max(last or found["max"], found["max"])
        if first is not None:
            self._merge([first, last])
        self._draft.unlink()

    def _is_retired(self) -> bool:
        is_there = self._old in self._table.columns  # whatever became of the column since
        return is_there or self._change.old is not self._change.new

    def _convert(self, target: str, source: str) -> None:
        column, old = quote_name(target), quote_name(source)
        if cast := exact_cast(old, self._change.old, self._change.new):
            self._table.ask(
                f"update {self._table.sql} set {column} = {cast} "
                f"where {ALL_DAYS} and {column} is null and {old} is not null "
                f"and {cast} is not null"
            )

    def _unconverted(self) -> str:
        column, old = quote_name(self._name), quote_name(self._old)
        return f"from {self._table.sql} where {ALL_DAYS} and {column} is null and {old} is not null"

    def _rewritten(self) -> Iterator[pa.Table]:
        """What becomes of rows that change, as the waiting table has them."""
        column, old = quote_name(self._name), quote_name(self._old)
        value = old if self._is_retired() else column
        is_left = f"{old} is not null" if self._is_retired() else "false"
        sql = (
            f"select load_id, _seq, received_at, {value} as value, {RESCUED} as _rescued "
            f"from {self._table.sql} where {ALL_DAYS} and {column} is null "
            f"and ({is_left} or {has_any(self._pointers)})"
        )
        rewrite = TableRewrite(self._table.name, {self._change.name: self._change})
        names = [*self._draft_schema().names[:3], self._change.name, "_rescued"]
        for batch in self._table.rows(sql, pointer_parameters(self._pointers)):
            before = pa.table(batch.columns, names)
            after = rewrite(before)
            is_changed = pc.or_(
                pc.is_valid(before[self._change.name]), pc.is_valid(after[self._change.name])
            )
            rows = after.filter(is_changed)
            yield rows.rename_columns(self._draft_schema().names).cast(self._draft_schema())

    def _draft_schema(self) -> pa.Schema:
        kinds = {"load_id": pa.int64(), "_seq": pa.int64(), "received_at": TIMESTAMP_ARROW}
        return pa.schema({**kinds, "value": ARROW[self._change.new], "_rescued": pa.string()})

    def _merge(self, days: Sequence[Any]) -> None:
        """Bring the draft to the table; a row that it has been brought to stays as it is."""
        connection, kind = self._table.connection, TYPES[self._change.new]
        columns = {"load_id": "INTEGER", "_seq": "INTEGER", "received_at": "TIMESTAMP"}
        drop_waiting_table(connection, self._waiting)
        make_waiting_table(
            connection, self._waiting, {**columns, "value": kind, "_rescued": "JSON"}
        )
        send = send_file(connection, self._waiting, self._draft, replaces=True)
        with connection.asking(self._table.where):
            RETRY(
                lambda: send(f"hw{self._waiting}_{secrets.token_hex(4)}").result(
                    timeout=JOB_SECONDS
                )
            )()
        retired = f", {quote_name(self._old)} = null" if self._is_retired() else ""
        self._table.ask(
            f"merge into {self._table.sql} as t "
            f"using {quote_name(connection.raw(self._waiting))} as w "
            "on t.load_id = w.load_id and t._seq = w._seq "
            "and t.received_at between @first and @last "
            f"when matched then update set {quote_name(self._name)} = w.value{retired}, "
            f"_rescued = if(w._rescued is null, null, {as_json('w._rescued')})",
            [
                bigquery.ScalarQueryParameter("first", "TIMESTAMP", days[0]),
                bigquery.ScalarQueryParameter("last", "TIMESTAMP", days[1]),
            ],
        )
        drop_waiting_table(connection, self._waiting)


def has_any(pointers: Collection[str]) -> str:
    """The SQL for whether `_rescued` has one of `pointers`, or seems to."""
    if not pointers:
        return "false"
    return f"exists (select 1 from unnest(@pointers) as p where strpos({RESCUED}, p) > 0)"


def pointer_parameters(pointers: Collection[str]) -> list[bigquery.ArrayQueryParameter]:
    """The parameters of that SQL."""
    return [bigquery.ArrayQueryParameter("pointers", "STRING", list(pointers))] if pointers else []
