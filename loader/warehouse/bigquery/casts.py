"""SQL that converts values of a raw column as `rewriting.convert` does, where that is certain."""

from typing import Final

from loader.event.values import MAX_EXACT_INT, ColumnType

_TEXT, _INT, _FLOAT = ColumnType.TEXT, ColumnType.INT, ColumnType.FLOAT
_BOOL, _TIMESTAMP = ColumnType.BOOL, ColumnType.TIMESTAMP
_EXACT: Final = f"between -{MAX_EXACT_INT} and {MAX_EXACT_INT}"
_SECONDS: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
# A double tells decimals of 15 digits apart: text of so many has one form as a number. Smaller and
# larger numbers have exponents, which each engine writes in its own way.
_CASTS: Final = {
    (_INT, _TEXT): "cast({x} as string)",
    (_BOOL, _TEXT): "cast({x} as string)",
    (_FLOAT, _TEXT): "case when {x} " + _EXACT + " and {x} = trunc({x}) "
    "then cast(cast({x} as int64) as string) "
    "when abs({x}) between 0.001 and 1e14 and length(cast({x} as string)) <= 16 "
    "and safe_cast(cast({x} as string) as float64) = {x} then cast({x} as string) end",
    (_TIMESTAMP, _TEXT): "case when {x} >= timestamp '1970-01-01 00:00:00+00' then concat("
    "format_timestamp('%Y-%m-%dT%H:%M:%S', {x}), if(mod(unix_micros({x}), 1000000) = 0, '', "
    "concat('.', lpad(cast(mod(unix_micros({x}), 1000000) as string), 6, '0'))), 'Z') end",
    (_INT, _FLOAT): "case when {x} " + _EXACT + " then cast({x} as float64) end",
    (_FLOAT, _INT): "case when {x} " + _EXACT + " and {x} = trunc({x}) "
    "then safe_cast({x} as int64) end",
    (_TEXT, _INT): "case when regexp_contains({x}, r'^(0|-?[1-9][0-9]{{0,17}})$') "
    "then safe_cast({x} as int64) end",
    (_TEXT, _FLOAT): "case when regexp_contains({x}, r'^(0|-?[1-9][0-9]{{0,14}})$') "
    r"or regexp_contains({x}, r'^-?(0|[1-9][0-9]*)\.[0-9]*[1-9]$') and length({x}) <= 16 "
    "and abs(safe_cast({x} as float64)) >= 0.001 then safe_cast({x} as float64) end",
    (_TEXT, _BOOL): "case {x} when 'true' then true when 'false' then false end",
    (_TEXT, _TIMESTAMP): "case when regexp_contains({x}, r'^"
    + _SECONDS.replace("{", "{{").replace("}", "}}")
    + r"(\.[0-9]{{1,6}})?(Z|[+-][0-9]{{2}}:[0-9]{{2}})$') "
    "and substr({x}, 1, 4) between '0002' and '9998' then safe_cast({x} as timestamp) end",
}


def exact_cast(column: str, old: ColumnType, new: ColumnType) -> str | None:
    """`column`, of type `old`, as `new`; null where Python has to look. None: it always has to."""
    cast = _CASTS.get((old, new))
    return cast.format(x=column) if cast else None
