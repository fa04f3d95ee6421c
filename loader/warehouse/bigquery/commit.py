"""What makes loads count in BigQuery: their rows of raw.loads, in one transaction.

The transaction also takes the next numbers of a counter that all loaders share. Two that commit at
once write the same row of it, so BigQuery aborts one, which tries again: the numbers are in the
order in which loads came to be visible, whoever loaded them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Final

import pyarrow.compute as pc
import pyarrow.parquet as pq
from google.api_core import exceptions
from google.api_core.retry import Retry

from loader.config import Workspace
from loader.errors import LoaderError, Unavailable
from loader.warehouse.bigquery.client import (
    ASKED,
    BigQuery,
    quote_name,
    quote_text,
)
from loader.warehouse.manifest import Manifest

COUNTER: Final = "_commit_order"
_MAX_DAYS: Final = 366  # listed singly for a table; beyond it, all from the first to the last
_FEW_DAYS: Final = 8  # the same in a load with so many that they would fill a script
_MAX_LISTED: Final = 20_000
_MAX_ROWS: Final = 400  # of an insert
_MAX_SCRIPT: Final = 400_000  # characters; BigQuery takes 1 MB
_LOADS_TABLE: Final = """create table if not exists {loads} (
    load_id int64, committed_at timestamp, table_name string, dates array<date>, `rows` int64,
    commit_order int64, first_seq int64
) partition by date(committed_at) cluster by load_id"""
_COUNTER_TABLE: Final = """create table if not exists {counter} as
select coalesce(max(commit_order), 0) as last from {loads}"""


@dataclass(frozen=True)
class LoadRow:
    """One row of raw.loads, but for what is known only at its commit."""

    load_id: int
    table_name: str
    dates: Sequence[date]
    rows: int
    first_seq: int


def read_loads(workspace: Workspace, manifest: Manifest, first: int, last: int) -> list[LoadRow]:
    """What the log here says of the loads `first` to `last`."""
    names = ["load_id", "table_name", "dates", "rows", "first_seq"]
    rows: list[LoadRow] = []
    for file in manifest.files:
        if file.table_name == "loads" and file.load_id >= first:
            with pq.ParquetFile(workspace.lake / file.file) as stored:
                has = [name for name in names if name in stored.schema_arrow.names]
                table = stored.read(columns=has)
            wanted = pc.and_(
                pc.greater_equal(table["load_id"], first), pc.less_equal(table["load_id"], last)
            )
            found = table.filter(wanted).to_pylist()  # of before `first_seq` was told: without it
            rows += [LoadRow(**{**row, "first_seq": row.get("first_seq") or 0}) for row in found]
    return sorted(rows, key=lambda row: (row.load_id, row.table_name))


def commit_loads(connection: BigQuery, rows: Sequence[LoadRow]) -> None:
    """Let the loads of `rows` count, in the order of their ids; those that do already stay.

    Many go by several transactions, one after the other; repeated, each finds what it did.
    """
    for together in _cut(rows):
        _commit(connection, together)


def _commit(connection: BigQuery, rows: Sequence[LoadRow]) -> None:
    loads = quote_name(connection.raw("loads"))
    counter = quote_name(connection.raw(COUNTER))
    where = "load: commit"
    script = ";\n".join(_statements(loads, counter, rows)) + ";"
    try:
        Retry(predicate=_is_overtaken, initial=0.5, maximum=10.0, timeout=120.0)(
            lambda: connection.query(script, where=where)
        )()
    except LoaderError as problem:
        if _is_overtaken(problem):
            raise Unavailable(problem.message, fix="repeat the command") from problem
        raise


def _cut(rows: Sequence[LoadRow]) -> Iterator[Sequence[LoadRow]]:
    """`rows` in parts of whole loads, cut at the same loads each time; one part of no rows."""
    part: list[LoadRow] = []
    size = 0
    for _, found in groupby(rows, key=lambda row: row.load_id):
        load = list(found)
        added = sum(len(_struct(row, 0, _days_listed(load))) for row in load)
        if part and size + added > _MAX_SCRIPT:
            yield part
            part, size = [], 0
        part += load
        size += added
    yield part


def _days_listed(rows: Sequence[LoadRow]) -> int:
    """How many days a row of the load may list: few where there are very many."""
    listed = sum(len(row.dates) for row in rows if len(row.dates) <= _MAX_DAYS)
    return _FEW_DAYS if listed > _MAX_LISTED else _MAX_DAYS


def last_counted(connection: BigQuery, first: int, last: int) -> int:
    """The greatest id of the loads from `first` to `last` that count there; 0 if none does."""
    where = f"load: table {connection.raw('loads')}"
    with connection.asking(where):
        try:
            connection.client.get_table(connection.raw("loads"), **ASKED)
        except exceptions.NotFound:
            return 0
    sql = (
        f"select coalesce(max(load_id), 0) from {quote_name(connection.raw('loads'))} "
        f"where load_id between {first} and {last}"
    )
    return int(connection.value(sql, where=where))


def _is_overtaken(problem: BaseException) -> bool:
    """Whether another loader's commit was quicker."""
    return isinstance(problem, LoaderError) and "concurrent update" in problem.message


def _statements(loads: str, counter: str, rows: Sequence[LoadRow]) -> list[str]:
    tables = [_LOADS_TABLE.format(loads=loads), _COUNTER_TABLE.format(counter=counter, loads=loads)]
    if not rows:
        return tables
    ids = sorted({row.load_id for row in rows})
    orders = {load_id: order for order, load_id in enumerate(ids, start=1)}
    structs = [
        _struct(row, orders[load_id], _days_listed(load))
        for load_id, load in (
            (load_id, list(found)) for load_id, found in groupby(rows, key=lambda row: row.load_id)
        )
        for row in load
    ]
    is_new = f"not exists (select 1 from {loads} where load_id = {ids[-1]})"
    inserts = []
    for start in range(0, len(structs), _MAX_ROWS):
        values = ", ".join(structs[start : start + _MAX_ROWS])
        inserts.append(
            f"insert into {loads} "
            "(load_id, committed_at, table_name, dates, `rows`, commit_order, first_seq) "
            "select load.load_id, current_timestamp(), load.table_name, load.dates, load.loaded, "
            f"(select last from {counter}) - {len(ids)} + load.place, load.first_seq "
            f"from unnest([{values}]) as load where is_new"
        )
    return [
        "declare is_new bool",
        *tables,
        "begin transaction",
        f"set is_new = {is_new}",
        f"update {counter} set last = last + {len(ids)} where is_new",
        *inserts,
        "commit transaction",
    ]


def _struct(row: LoadRow, place: int, max_days: int) -> str:
    days = sorted(row.dates)
    listed = ", ".join(f"date '{day}'" for day in days)
    dates = f"array<date>[{listed}]"  # of which an empty one would be of numbers
    if len(days) > max_days:
        dates = f"generate_date_array(date '{days[0]}', date '{days[-1]}')"
    return (
        f"struct({row.load_id} as load_id, {quote_text(row.table_name)} as table_name, "
        f"{dates} as dates, {row.rows} as loaded, {place} as place, "
        f"{row.first_seq} as first_seq)"
    )
