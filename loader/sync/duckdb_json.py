"""DuckDB's SQL that writes a value as JSON without loss: every digit, UTC, no NaN.

DuckDB's own to_json turns decimals into doubles and writes NaN and times that JSON readers refuse.
Its twin is bigquery_json.py.
"""

from typing import Any

from duckdb.sqltypes import DuckDBPyType

from loader.sync.json_object import object_sql
from loader.warehouse.views import quote, text

_WHOLE_OR_DECIMAL = {
    *("tinyint", "smallint", "integer", "bigint", "hugeint", "bignum"),
    *("utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"),
    *("boolean", "decimal"),
}
_TIMESTAMPS = {"timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns"}


def json_sql(value: str, kind: DuckDBPyType, depth: int = 0) -> str:
    """The JSON text of the SQL expression `value`; NULL where JSON knows no such value.

    A time without zone counts as UTC.
    """
    name = kind.id
    if name in _WHOLE_OR_DECIMAL or str(kind) == "JSON":
        return f"cast({value} as varchar)"
    if name in {"double", "float"}:
        return f"case when isfinite({value}) then cast({value} as varchar) end"
    if name in _TIMESTAMPS:
        moment = f"replace(cast({value} as varchar), ' ', 'T')"
        return (
            f"case when isfinite(cast({value} as timestamp)) then concat('\"', {moment}, 'Z\"') end"
        )
    if name == "timestamp with time zone":
        utc = f"replace(cast(make_timestamp(epoch_us({value})) as varchar), ' ', 'T')"
        return f"case when isfinite({value}) then concat('\"', {utc}, 'Z\"') end"
    if name in {"list", "array", "struct", "map"}:
        return f"case when {value} is not null then {_nested_sql(value, kind, depth)} end"
    return f"cast(to_json(cast({value} as varchar)) as varchar)"


def _nested_sql(value: str, kind: DuckDBPyType, depth: int) -> str:
    children: list[tuple[str, Any]] = kind.children
    if kind.id == "struct":
        return object_sql(
            {name: json_sql(f"{value}.{quote(name)}", child, depth) for name, child in children},
            text,
        )
    # A column of the same name would shadow the lambda's parameter.
    item = quote(f"\u00b7item {depth}")
    if kind.id == "map":
        inner = dict(children)
        label = f"to_json(cast({item}.key as varchar))"
        member = json_sql(f"{item}.value", inner["value"], depth + 1)
        each = f"concat({label}, ':', coalesce({member}, 'null'))"
        return _joined("{", f"list_transform(map_entries({value}), lambda {item}: {each})", "}")
    each = f"coalesce({json_sql(item, children[0][1], depth + 1)}, 'null')"
    return _joined("[", f"list_transform({value}, lambda {item}: {each})", "]")


def _joined(opening: str, texts: str, closing: str) -> str:
    return f"concat('{opening}', array_to_string({texts}, ','), '{closing}')"
