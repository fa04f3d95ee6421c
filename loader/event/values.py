"""The five types of a raw column, and which values fit them without loss."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

MAX_EXACT_INT = 2**53  # beyond it a 64-bit float skips whole numbers
_MIN_INT64, _MAX_INT64 = -(2**63), 2**63 - 1
_ISO_TIMESTAMP = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)", re.ASCII
)
TIMESTAMP_ARROW = pa.timestamp("us", tz="UTC")
_EPOCH_MILLISECONDS_FROM = 1e11  # a number this large is milliseconds, a smaller one seconds
_BELOW_MICROSECONDS = re.compile(r"[.,]\d{6}\d*[1-9]", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MOMENT = datetime.min.replace(tzinfo=UTC)
_LAST_MOMENT = datetime.max.replace(tzinfo=UTC)


class ColumnType(StrEnum):
    """What a raw column holds; fixed when the column is first written, INT may widen to FLOAT."""

    TEXT = "text"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    TIMESTAMP = "timestamp"
    JSON = "json"
    DATES = "dates"


ARROW: Final = {
    ColumnType.TEXT: pa.string(),
    ColumnType.INT: pa.int64(),
    ColumnType.FLOAT: pa.float64(),
    ColumnType.BOOL: pa.bool_(),
    ColumnType.TIMESTAMP: TIMESTAMP_ARROW,
    ColumnType.JSON: pa.string(),
    ColumnType.DATES: pa.list_(pa.date32()),
}


class Misfit:
    """Stands for a value that its column can't hold without loss."""


MISFIT: Final = Misfit()


def json_text(value: object) -> str:
    """`value` as compact JSON text."""
    return msgspec.json.encode(value).decode()


def type_of(value: object) -> ColumnType | None:
    """The type that a column takes from its first value; None: no column can hold the value."""
    if isinstance(value, bool):
        return ColumnType.BOOL
    if isinstance(value, int):
        return ColumnType.INT if _MIN_INT64 <= value <= _MAX_INT64 else None
    if isinstance(value, float):
        return ColumnType.FLOAT
    if isinstance(value, str):
        is_time = _ISO_TIMESTAMP.fullmatch(value) and parse_timestamps([value]) is not None
        return ColumnType.TIMESTAMP if is_time else ColumnType.TEXT
    return ColumnType.TEXT if isinstance(value, list) else None


def fit(value: object, wanted: ColumnType) -> object:
    """`value` as a column of type `wanted` holds it, or MISFIT.

    Text takes arrays, numbers and booleans as their JSON text, INT takes a float that is whole,
    FLOAT takes an int that it can hold exactly; nothing else is converted.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if wanted is ColumnType.TEXT:
        return value if isinstance(value, str) else json_text(value)
    if wanted is ColumnType.BOOL and isinstance(value, bool):
        return value
    if wanted is ColumnType.INT and is_number:
        return _fit_int(value)  # type: ignore[arg-type]
    if wanted is ColumnType.FLOAT and is_number and _is_exact_float(value):  # type: ignore[arg-type]
        return float(value)  # type: ignore[arg-type]
    if wanted is ColumnType.TIMESTAMP and isinstance(value, str):
        return value if parse_timestamps([value]) is not None else MISFIT
    return MISFIT


def _fit_int(value: float) -> object:
    if isinstance(value, int):
        return value if _MIN_INT64 <= value <= _MAX_INT64 else MISFIT
    return int(value) if value.is_integer() and abs(value) <= MAX_EXACT_INT else MISFIT


def _is_exact_float(value: float) -> bool:
    return isinstance(value, float) or abs(value) <= MAX_EXACT_INT


def parse_timestamps(texts: list[str | None]) -> pa.Array | None:
    """ISO-8601 texts with a zone as UTC microseconds; None when one of them is anything else.

    A time outside of the years 1 to 9999 is something else: most readers can't take it.
    """
    try:
        moments = pc.cast(pa.array(texts, pa.string()), TIMESTAMP_ARROW)
    except (pa.ArrowInvalid, UnicodeEncodeError):
        return None
    return moments if pc.all(in_calendar(moments)).as_py() is not False else None


def in_calendar(moments: pa.Array) -> pa.Array:
    """For each moment, whether it lies in the years 1 to 9999."""
    return pc.and_(pc.greater_equal(moments, _FIRST_MOMENT), pc.less_equal(moments, _LAST_MOMENT))


def parse_moment(value: object) -> datetime | None:
    """One time: ISO-8601, with a zone or in UTC, or a number of seconds or milliseconds."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _EPOCH + timedelta(microseconds=round(_microseconds(value)))
    except (ValueError, OverflowError):
        return None
    return None


def is_whole(value: object) -> bool:
    """Whether what `parse_moment` reads of a time is all of it: microseconds, nothing finer."""
    if isinstance(value, str):
        return not _BELOW_MICROSECONDS.search(value)
    return not isinstance(value, float) or _microseconds(value) % 1 == 0


def _microseconds(value: float) -> Decimal:
    """A number of seconds, or of milliseconds, in microseconds: floats could not count them."""
    return Decimal(repr(value)) * (1_000 if abs(value) >= _EPOCH_MILLISECONDS_FROM else 1_000_000)
