"""BigQuery's SQL that writes a value as JSON without loss: every digit, UTC, no NaN.

BigQuery's own to_json_string writes some numbers as strings, and times in several forms. Its twin
is duckdb_json.py: the same value has the same JSON value in both, if not always the same text.
"""

from typing import Final

from google.cloud.bigquery import SchemaField

from loader.sync.json_object import object_sql
from loader.warehouse.bigquery.client import quote_name, quote_text

_NUMBERS: Final = {"INTEGER", "INT64", "BOOLEAN", "BOOL"}
_DECIMALS: Final = {"NUMERIC", "DECIMAL", "BIGNUMERIC", "BIGDECIMAL"}
_FLOATS: Final = {"FLOAT", "FLOAT64"}
_STRUCTS: Final = {"RECORD", "STRUCT"}
# Zeros at the end of a fraction, and the point if nothing else follows it.
_TRAILING_ZEROS: Final = r"r'\.0*$|(\.\d*?[1-9])0+$', r'\1'"


def json_sql(value: str, field: SchemaField) -> str:
    """The JSON text of the SQL expression `value`, which is of the type of the column `field`.

    NULL where JSON knows no such value. A time without zone counts as UTC.
    """
    if field.mode == "REPEATED":
        return _array_sql(value, field)
    return _scalar_sql(value, field, depth=0)


def _array_sql(value: str, field: SchemaField, depth: int = 0) -> str:
    """An array of BigQuery's holds no array, at most structs that hold some."""
    item = f"_item{depth}"
    each = f"coalesce({_scalar_sql(item, field, depth + 1)}, 'null')"
    items = f"array(select {each} from unnest({value}) as {item} with offset as _at order by _at)"
    return f"if({value} is null, null, concat('[', array_to_string({items}, ','), ']'))"


def _scalar_sql(value: str, field: SchemaField, depth: int) -> str:
    kind = field.field_type
    if kind in _NUMBERS:
        return f"cast({value} as string)"
    if kind in _DECIMALS:
        return f"regexp_replace(cast({value} as string), {_TRAILING_ZEROS})"
    if kind in _FLOATS:
        return f"if(is_nan({value}) or is_inf({value}), null, cast({value} as string))"
    if kind in {"TIMESTAMP", "DATETIME"}:
        moment = f"cast(datetime({value}) as string)" if kind == "TIMESTAMP" else _as_text(value)
        plain = f"regexp_replace(replace({moment}, ' ', 'T'), {_TRAILING_ZEROS})"
        return f"concat('\"', {plain}, 'Z\"')"
    if kind == "TIME":
        return f"concat('\"', regexp_replace({_as_text(value)}, {_TRAILING_ZEROS}), '\"')"
    if kind in _STRUCTS:
        members = {part.name: _member_sql(value, part, depth) for part in field.fields}
        return f"if({value} is null, null, {object_sql(members, quote_text)})"
    writable = {
        "STRING": value,
        "JSON": value,
        "BYTES": f"to_base64({value})",
        "GEOGRAPHY": f"st_astext({value})",
    }.get(kind, _as_text(value))
    return f"if({value} is null, null, to_json_string({writable}))"


def _member_sql(struct: str, field: SchemaField, depth: int) -> str:
    value = f"{struct}.{quote_name(field.name)}"
    if field.mode == "REPEATED":
        return _array_sql(value, field, depth)
    return _scalar_sql(value, field, depth)


def _as_text(value: str) -> str:
    return f"cast({value} as string)"
