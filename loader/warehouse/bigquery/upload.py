"""The file that is sent of a part: as it stands in the outbox, or all its files as one."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from duckdb.sqltypes import DuckDBPyType

from loader.durable import refused
from loader.event.values import ARROW
from loader.warehouse.bigquery.tables import TYPES, Columns
from loader.warehouse.outbox import outgoing_name
from loader.warehouse.views import as_pattern, quote, text

_ARROW: Final[dict[str, pa.DataType]] = {TYPES[kind]: ARROW[kind] for kind in TYPES}
_SQL: Final = {
    "STRING": "varchar",
    "INTEGER": "bigint",
    "FLOAT": "double",
    "BOOLEAN": "boolean",
    "TIMESTAMP": "timestamptz",
    "JSON": "varchar",
}
_TIMESTAMP: Final = "%Y-%m-%dT%H:%M:%S.%fZ"
_SUSPECT: Final = r"\d{16}|\d[eE][+-]?\d{2}|\\u[dD][89a-fA-F]"  # documents that are looked into
_MEMORY: Final = "512MB"


def prepare(files: Sequence[Path], draft: Path, columns: Columns, *, as_json: bool) -> Path:
    """The file to send: the only one of `files` if it fits, else `draft`, written from all.

    `columns` are the table's in BigQuery; a file of the time on DuckDB has its own names for them.
    With `as_json` BigQuery takes the texts of JSON columns for JSON, as its Storage Write API does,
    so they are made such as it can store. StorageError if the disk refuses.
    """
    if len(files) == 1 and not as_json and _fits(files[0], columns):
        return files[0]
    draft.parent.mkdir(parents=True, exist_ok=True)
    spill = str(draft.parent / "spill")
    try:
        with duckdb.connect(config={"memory_limit": _MEMORY, "temp_directory": spill}) as engine:
            engine.execute("set TimeZone = 'UTC'")
            varchar = DuckDBPyType("VARCHAR")
            engine.create_function("storable_json", storable_json, [varchar], varchar)
            query = _query(engine, files, columns, as_json=as_json)
            engine.execute(f"copy ({query}) to {text(str(draft))} (format parquet)")
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as problem:
        raise refused(draft, problem) from problem
    return draft


def storable_json(document: str) -> str:
    """`document` if BigQuery's JSON type holds it without loss, else a JSON string of its text."""
    try:
        found = json.loads(document, parse_int=_exact, parse_float=_exact, parse_constant=_exact)
        json.dumps(found, ensure_ascii=False).encode()
    except ValueError:  # no number that fits, no whole text, or no JSON at all
        return json.dumps(document)
    return document


def _exact(number: str) -> float:
    found = Decimal(number)
    if not found.is_finite():
        raise ValueError(f"{number} is no number of JSON's")
    if found == int(found) and -(2**63) <= found < 2**64:
        return 0
    if Decimal(repr(float(number))) != found:
        raise ValueError(f"{number} is no 64-bit number")
    return 0


def _fits(file: Path, columns: Columns) -> bool:
    schema = pq.read_schema(file)
    return all(f.name in columns and f.type == _ARROW[columns[f.name]] for f in schema)


def _query(
    engine: duckdb.DuckDBPyConnection, files: Sequence[Path], columns: Columns, *, as_json: bool
) -> str:
    names = ", ".join(text(as_pattern(file)) for file in files)
    source = f"read_parquet([{names}], union_by_name = true, hive_partitioning = false)"
    found = engine.sql(f"select * from {source} limit 0")
    has = {
        outgoing_name(name): (quote(name), kind)
        for name, kind in zip(found.columns, found.types, strict=True)
    }
    selected = [
        f"{_value(*has[name], kind, as_json=as_json)} as {quote(name)}"
        for name, kind in columns.items()
        if name in has
    ]
    return f"select {', '.join(selected)} from {source}"


def _value(column: str, has: Any, wanted: str, *, as_json: bool) -> str:
    if str(has) == "TIMESTAMP WITH TIME ZONE" and wanted == "STRING":
        return f"strftime({column}, '{_TIMESTAMP}')"
    if wanted == "JSON" and as_json:
        exact = f"case when regexp_matches({column}, '{_SUSPECT}') then storable_json({column}) "
        return f"{exact} else {column} end"
    return f"cast({column} as {_SQL[wanted]})"
