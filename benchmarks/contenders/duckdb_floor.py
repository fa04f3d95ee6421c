"""The floors: DuckDB reads the file EVENTS to OUT and checks nothing.

OUT is a database, with one table for all; or, if FORM is `parquet`, a folder of Parquet files by
event and day.
"""

import sys

import duckdb

events, out, form = sys.argv[1:]
_EVENTS = "read_json(?, format = 'newline_delimited', ignore_errors = true)"
with duckdb.connect(out if form == "table" else ":memory:") as connection:
    if form == "table":
        connection.execute(f"create table events as select * from {_EVENTS}", [events])
    else:
        connection.execute(
            "copy (select *, coalesce(event, type) as _table, cast(receivedAt as date) as _date "
            f"from {_EVENTS}) to '{out}' (format parquet, partition_by (_table, _date))",
            [events],
        )
