"""The floor: DuckDB reads the file EVENTS into one table of DATABASE, and checks nothing."""

import sys

import duckdb

events, database = sys.argv[1:]
with duckdb.connect(database) as connection:
    connection.execute(
        "create table events as select * from"
        " read_json(?, format = 'newline_delimited', ignore_errors = true)",
        [events],
    )
