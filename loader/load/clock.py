"""The four times of an event, in bulk: what devices claimed becomes what happened.

`timestamp = receivedAt - (sentAt - originalTimestamp)` (Segment's rule): the difference of the two
device times is right even where the device's clock is wrong. Without `sentAt`, or without a
`receivedAt` to compare with, the time that was given is taken as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from loader.event.values import TIMESTAMP_ARROW, in_calendar, parse_timestamps
from loader.load.buffer import TableBuffer

_EPOCH_MILLISECONDS_FROM = 1e11  # a number this large is milliseconds, a smaller one seconds
_FIRST_DATE = datetime(1970, 1, 1, tzinfo=UTC)


class Stated(NamedTuple):
    """The times that events state, a value a row: as they came, or as arrays of timestamps."""

    received: Any
    sent: Any
    original: Any
    timestamp: Any


@dataclass(frozen=True)
class Times:
    """Arrays of UTC microseconds, a value a row, and the day (date32) of each row's partition."""

    received_at: pa.Array
    sent_at: pa.Array
    original_timestamp: pa.Array
    timestamp: pa.Array
    date: pa.Array


def parse_stated(buffer: TableBuffer, stated: Stated, now: datetime) -> Stated:
    """The times of the rows in `buffer` as arrays, from what their events state.

    What is no time goes to `_rescued`, and so does a receivedAt in the future or before 1970, which
    is kept besides.
    """
    parsed = Stated(
        _parse(buffer, stated.received, "/receivedAt"),
        _parse(buffer, stated.sent, "/sentAt"),
        _parse(buffer, stated.original, "/originalTimestamp"),
        _parse(buffer, stated.timestamp, "/timestamp"),
    )
    for row in pc.indices_nonzero(_is_odd(_received_at(parsed, now), now)).to_pylist():
        if stated.received[row] is not None:
            buffer.rescued.setdefault(row, {})["/receivedAt"] = stated.received[row]
    return parsed


def settle_times(stated: Stated, now: datetime) -> Times:
    """The times of events from those that they state, as arrays.

    A receivedAt in the future is kept, but lies in the partition of the load's day, as does one
    before 1970.
    """
    sent_at, given_at = stated.sent, stated.timestamp
    original_at = pc.coalesce(stated.original, given_at)
    received_at = _received_at(stated, now)
    corrected = pc.subtract(received_at, pc.subtract(sent_at, original_at))
    corrected = pc.if_else(in_calendar(corrected), corrected, None)
    now_scalar = pa.scalar(now, TIMESTAMP_ARROW)
    day_of = pc.if_else(_is_odd(received_at, now), now_scalar, received_at)
    return Times(
        received_at=received_at,
        sent_at=sent_at,
        original_timestamp=original_at,
        timestamp=pc.coalesce(corrected, given_at, original_at, received_at),
        date=pc.cast(day_of, pa.date32()),
    )


def _received_at(stated: Stated, now: datetime) -> pa.Array:
    """When events came: as stated, else the first time that they do state, else now."""
    original_at = pc.coalesce(stated.original, stated.timestamp)
    now_scalar = pa.scalar(now, TIMESTAMP_ARROW)
    return pc.coalesce(stated.received, stated.sent, stated.timestamp, original_at, now_scalar)


def _is_odd(received_at: pa.Array, now: datetime) -> pa.Array:
    return pc.or_(
        pc.greater(received_at, pa.scalar(now, TIMESTAMP_ARROW)),
        pc.less(received_at, pa.scalar(_FIRST_DATE, TIMESTAMP_ARROW)),
    )


def _parse(buffer: TableBuffer, values: Sequence[Any], pointer: str) -> pa.Array:
    texts = list(values)
    if set(map(type, texts)) <= {str, type(None)}:
        parsed = parse_timestamps(texts)
        if parsed is not None:
            return parsed
    moments: list[datetime | None] = []
    for row, value in enumerate(texts):
        moment = parse_moment(value)
        if moment is None and value is not None:
            buffer.rescued.setdefault(row, {})[pointer] = value
        moments.append(moment)
    return pa.array(moments, TIMESTAMP_ARROW)


def parse_moment(value: object) -> datetime | None:
    """One time: ISO-8601, with a zone or in UTC, or a number of seconds or milliseconds."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            is_milliseconds = abs(value) >= _EPOCH_MILLISECONDS_FROM
            return datetime.fromtimestamp(value / 1000 if is_milliseconds else value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None
