"""The four times of an event, in bulk: what devices claimed becomes what happened.

`timestamp = receivedAt - (sentAt - originalTimestamp)` (Segment's rule): the difference of the two
device times is right even where the device's clock is wrong. Without `sentAt`, or without a
`receivedAt` to compare with, the time that was given is taken as it is. What can't be true is kept
and flagged: a time more than a day after the load, or before any product sent events.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from loader.event.values import (
    TIMESTAMP_ARROW,
    in_calendar,
    is_whole,
    parse_moment,
    parse_timestamps,
)
from loader.load.buffer import TableBuffer

_FIRST_DATE = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_PLAUSIBLE = pa.scalar(datetime(2000, 1, 1, tzinfo=UTC), TIMESTAMP_ARROW)
_FUTURE_AFTER = timedelta(days=1)  # clocks differ, and people write dates without a zone


class Stated(NamedTuple):
    """The times that events state, a value a row: as they came, or as arrays of timestamps."""

    received: Any
    sent: Any
    original: Any
    timestamp: Any


@dataclass(frozen=True)
class Times:
    """Arrays of UTC microseconds, a value a row, and the day (date32) of each row's partition.

    `flags` names what is odd about a row's times, separated by spaces; null where nothing is.
    """

    received_at: pa.Array
    sent_at: pa.Array
    original_timestamp: pa.Array
    timestamp: pa.Array
    date: pa.Array
    flags: pa.Array


def parse_stated(buffer: TableBuffer, stated: Stated, now: datetime) -> Stated:
    """The times of the rows in `buffer` as arrays, from what their events state.

    What is no time goes to `_rescued`, and so do parts of a microsecond, a timestamp beside an
    originalTimestamp that neither column will hold, and a receivedAt in the future or before 1970,
    which is kept besides.
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
    for row in pc.indices_nonzero(_is_unused(parsed, now)).to_pylist():
        buffer.rescued.setdefault(row, {})["/timestamp"] = stated.timestamp[row]
    return parsed


def settle_times(stated: Stated, now: datetime) -> Times:
    """The times of events from those that they state, as arrays.

    A receivedAt in the future is kept, but lies in the partition of the load's day, as does one
    before 1970.
    """
    received_at, timestamp = _received_at(stated, now), _timestamp(stated, now)
    now_scalar = pa.scalar(now, TIMESTAMP_ARROW)
    day_of = pc.if_else(_is_odd(received_at, now), now_scalar, received_at)
    return Times(
        received_at=received_at,
        sent_at=stated.sent,
        original_timestamp=_original_at(stated),
        timestamp=timestamp,
        date=pc.cast(day_of, pa.date32()),
        flags=flag_times(timestamp, received_at, now),
    )


def rescue_unused(stated: Stated, texts: pa.Array, now: datetime) -> pa.Array:
    """What `parse_stated` rescues of plain times, as JSON; `texts` are the timestamps stated."""
    found = pc.binary_join_element_wise('{"/timestamp":"', texts, '"}', "")
    return pc.if_else(_is_unused(stated, now), found, None)


def _received_at(stated: Stated, now: datetime) -> pa.Array:
    """When events came: as stated, else the first time that they do state, else now."""
    now_scalar = pa.scalar(now, TIMESTAMP_ARROW)
    return pc.coalesce(
        stated.received, stated.sent, stated.timestamp, _original_at(stated), now_scalar
    )


def _original_at(stated: Stated) -> pa.Array:
    return pc.coalesce(stated.original, stated.timestamp)


def _timestamp(stated: Stated, now: datetime) -> pa.Array:
    """When events happened, by the rule; what comes out of no calendar is not believed."""
    received_at, original_at = _received_at(stated, now), _original_at(stated)
    corrected = pc.subtract(received_at, pc.subtract(stated.sent, original_at))
    corrected = pc.if_else(in_calendar(corrected), corrected, None)
    return pc.coalesce(corrected, stated.timestamp, original_at, received_at)


def _is_unused(stated: Stated, now: datetime) -> pa.Array:
    """Whether an event states a timestamp that no column holds."""
    if stated.original.null_count == len(stated.original):
        return pa.nulls(len(stated.original), pa.bool_())
    given = stated.timestamp
    return pc.and_(
        pc.not_equal(given, stated.original), pc.not_equal(given, _timestamp(stated, now))
    )


def _is_odd(received_at: pa.Array, now: datetime) -> pa.Array:
    return pc.or_(
        pc.greater(received_at, pa.scalar(now, TIMESTAMP_ARROW)),
        pc.less(received_at, pa.scalar(_FIRST_DATE, TIMESTAMP_ARROW)),
    )


def flag_times(timestamp: pa.Array, received_at: pa.Array, now: datetime) -> pa.Array:
    """For each row which of its times lie in the future or the far past: `Times.flags`."""
    future = pa.scalar(now + _FUTURE_AFTER, TIMESTAMP_ARROW)
    flags: dict[int, list[str]] = {}
    for name, moments in (("timestamp", timestamp), ("received_at", received_at)):
        for kind, is_odd in (
            ("future", pc.greater(moments, future)),
            ("past", pc.less(moments, _FIRST_PLAUSIBLE)),
        ):
            for row in pc.indices_nonzero(is_odd).to_pylist():
                flags.setdefault(row, []).append(f"{kind}_{name}")
    if not flags:
        return pa.nulls(len(timestamp), pa.string())
    texts = [" ".join(flags[row]) if row in flags else None for row in range(len(timestamp))]
    return pa.array(texts, pa.string())


def _parse(buffer: TableBuffer, values: Sequence[Any], pointer: str) -> pa.Array:
    texts = list(values)
    if set(map(type, texts)) <= {str, type(None)}:
        parsed = parse_timestamps(texts)
        if parsed is not None:
            return parsed
    moments: list[datetime | None] = []
    for row, value in enumerate(texts):
        moment = parse_moment(value)
        if value is not None and (moment is None or not is_whole(value)):
            buffer.rescued.setdefault(row, {})[pointer] = value
        moments.append(moment)
    return pa.array(moments, TIMESTAMP_ARROW)
