from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loader.load.buffer import TableBuffer
from loader.load.clock import Stated, parse_stated, settle_times
from loader.load.room import Room
from loader.warehouse import Catalog

NOW = datetime(2024, 5, 10, 12, tzinfo=UTC)
TEN, LATER = "2024-05-01T10:00:00Z", "2024-05-01T10:00:05Z"


def at(text):
    return datetime.fromisoformat(text)


def settle(*rows):
    """What the times of rows, each given by the names of its event's fields, come to."""
    buffer = TableBuffer("tracks", Catalog(), Room(Catalog(), 1))
    fields = ("receivedAt", "sentAt", "originalTimestamp", "timestamp")
    stated = Stated(*([row.get(f) for row in rows] for f in fields))
    times = settle_times(parse_stated(buffer, stated, NOW), NOW)
    columns = ("received_at", "sent_at", "original_timestamp", "timestamp", "date", "flags")
    values = [getattr(times, name).to_pylist() for name in columns]
    settled = [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]
    return settled, buffer.rescued


@pytest.mark.parametrize(
    ("stated", "timestamp", "received_at"),
    [
        # The device's clock is a day behind; it sent 5 s after the call.
        (
            {
                "timestamp": "2024-04-30T10:00:00Z",
                "sentAt": "2024-04-30T10:00:05Z",
                "receivedAt": "2024-05-01T10:00:05Z",
            },
            TEN,
            LATER,
        ),
        ({"originalTimestamp": TEN, "sentAt": LATER, "receivedAt": LATER}, TEN, LATER),
        ({"timestamp": TEN, "receivedAt": LATER}, TEN, LATER),  # nothing to correct with
        ({"originalTimestamp": TEN, "receivedAt": LATER}, TEN, LATER),
        ({"timestamp": TEN, "sentAt": LATER}, TEN, LATER),
        ({"timestamp": TEN}, TEN, TEN),
        ({"originalTimestamp": TEN}, TEN, TEN),
        ({"sentAt": TEN}, TEN, TEN),
        ({"receivedAt": TEN}, TEN, TEN),
        ({"receivedAt": TEN, "sentAt": LATER}, TEN, TEN),
        ({}, str(NOW), str(NOW)),
    ],
)
def test_the_clock_rule(stated, timestamp, received_at):
    ((times,), rescued) = settle(stated)

    assert times["timestamp"] == at(timestamp)
    assert times["received_at"] == at(received_at)
    assert times["date"] == at(received_at).date()
    assert rescued == {}


def test_a_manual_timestamp_is_the_original_one():
    ((given_, both), _) = settle({"timestamp": TEN}, {"timestamp": LATER, "originalTimestamp": TEN})

    assert given_["original_timestamp"] == at(TEN)
    assert both["original_timestamp"] == at(TEN)
    assert both["timestamp"] == at(LATER)


@pytest.mark.parametrize(
    "value",
    [
        "2024-05-01T10:00:00.000Z",
        "2024-05-01T13:00:00+03:00",
        "2024-05-01T10:00:00",
        "2024-05-01 10:00:00+00:00",
        "2024-05-01T10:00:00.000000000Z",
        "20240501T100000Z",
        1714557600,
        1714557600.0,
        1714557600000,
    ],
)
def test_one_moment_written_in_many_ways(value):
    ((times,), rescued) = settle({"timestamp": value})

    assert times["timestamp"] == at(TEN)
    assert rescued == {}


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "",
        "2024-13-01T00:00:00Z",
        True,
        {"at": 1},
        [1],
        1e300,
        10**30,
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-10:00",
    ],
)
@pytest.mark.parametrize("field", ["timestamp", "sentAt", "receivedAt", "originalTimestamp"])
def test_what_is_no_time_is_rescued_and_its_neighbours_are_not(field, value):
    ((bad, good), rescued) = settle({field: value}, {field: TEN})

    assert bad["timestamp"] == NOW
    assert good["timestamp"] == at(TEN)
    assert rescued == {0: {f"/{field}": value}}


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2024-05-01T10:00:00.123456789Z", "2024-05-01T10:00:00.123456Z"),
        ("2024-05-01T10:00:00,1234567", "2024-05-01T10:00:00.123456Z"),
        (1714557600123.4567, "2024-05-01T10:00:00.123457Z"),
    ],
)
@pytest.mark.parametrize("field", ["timestamp", "sentAt", "receivedAt", "originalTimestamp"])
def test_of_a_time_that_microseconds_cannot_hold_all_of_it_is_kept(field, value, moment):
    ((times,), rescued) = settle({field: value})

    assert times["timestamp"] == at(moment)
    assert rescued == {0: {f"/{field}": value}}


@pytest.mark.parametrize("milliseconds", [99_999_999_999_999, 1e14 + 0.25, 1714557600123.456])
def test_numbers_of_milliseconds_are_read_exactly(milliseconds):
    ((times,), rescued) = settle({"timestamp": milliseconds})

    since = times["timestamp"] - at("1970-01-01T00:00:00Z")
    assert since // timedelta(microseconds=1) == Decimal(repr(milliseconds)) * 1000
    assert rescued == {}


def test_a_timestamp_beside_an_original_one_is_in_a_column_or_rescued():
    times = {"originalTimestamp": TEN, "sentAt": LATER, "receivedAt": "2024-05-01T10:01:05Z"}

    corrected, rescued = settle(
        {**times, "timestamp": "2024-05-01T10:01:00Z"},  # as Segment exports it
        {**times, "timestamp": "2024-05-01T13:00:00+03:00"},
        {**times, "timestamp": LATER},
    )

    assert {row["timestamp"] for row in corrected} == {at("2024-05-01T10:01:00Z")}
    assert rescued == {2: {"/timestamp": LATER}}


def test_a_reception_in_the_future_is_kept_flagged_and_filed_under_today():
    ((times,), rescued) = settle({"receivedAt": "2031-01-01T00:00:00Z", "timestamp": TEN})

    assert times["received_at"] == at("2031-01-01T00:00:00Z")
    assert times["timestamp"] == at(TEN)
    assert times["date"] == NOW.date()
    assert rescued == {0: {"/receivedAt": "2031-01-01T00:00:00Z"}}


def test_a_timestamp_in_the_future_is_kept_and_filed_under_today():
    ((times,), rescued) = settle({"timestamp": "2031-01-01T00:00:00Z"})

    assert times["timestamp"] == at("2031-01-01T00:00:00Z")
    assert times["date"] == NOW.date()
    assert rescued == {}


def test_a_reception_before_computers_had_clocks_is_filed_under_today():
    ((times,), rescued) = settle({"receivedAt": "0001-01-01T00:00:00Z"})

    assert times["date"] == NOW.date()
    assert rescued == {0: {"/receivedAt": "0001-01-01T00:00:00Z"}}


def test_the_day_is_that_of_utc():
    ((times,), _) = settle({"receivedAt": "2024-05-02T01:00:00+03:00"})

    assert times["date"] == date(2024, 5, 1)


def test_device_clocks_that_differ_by_millennia_are_not_believed():
    ((times,), _) = settle(
        {"receivedAt": LATER, "sentAt": "0001-01-01T00:00:00Z", "timestamp": "9999-12-31T00:00:00Z"}
    )

    assert times["timestamp"] == at("9999-12-31T00:00:00Z")  # as stated


moments = st.sampled_from(
    [
        None,
        TEN,
        "2024-05-01T10:00:05+03:00",
        "2024-05-01T10:00:00",
        1714557600,
        "soon",
        True,
        "0000-01-01T00:00:00Z",
        "2024-05-01T10Z",
        "2024-05-01T10:00:00.1234567Z",
        "2031-01-01",
    ]
)
rows = st.fixed_dictionaries(
    dict.fromkeys(("receivedAt", "sentAt", "originalTimestamp", "timestamp"), moments)
)


@given(st.lists(rows, min_size=2, max_size=6))
def test_an_events_times_do_not_depend_on_its_neighbours(events):
    together, rescued = settle(*events)

    for row, event in enumerate(events):
        ((alone,), own_rescued) = settle(event)
        assert together[row] == alone
        assert rescued.get(row, {}) == own_rescued.get(0, {})


@pytest.mark.parametrize(
    ("stated", "flags"),
    [
        ({"timestamp": TEN, "receivedAt": LATER}, None),
        ({}, None),
        ({"timestamp": "2024-05-11T11:00:00Z", "receivedAt": LATER}, None),  # within a day
        ({"timestamp": "2099-01-01T00:00:00Z", "receivedAt": LATER}, "future_timestamp"),
        ({"timestamp": "1970-01-01T00:00:00Z", "receivedAt": LATER}, "past_timestamp"),
        ({"timestamp": "1999-12-31T23:59:59Z", "receivedAt": LATER}, "past_timestamp"),
        ({"timestamp": "2000-01-01T00:00:00Z", "receivedAt": LATER}, None),
        ({"timestamp": TEN, "receivedAt": "2099-01-01T00:00:00Z"}, "future_received_at"),
        ({"timestamp": TEN, "receivedAt": "1970-01-02T00:00:00Z"}, "past_received_at"),
        ({"receivedAt": "2099-01-01T00:00:00Z"}, "future_timestamp future_received_at"),
        (
            {"timestamp": "1970-01-01T00:00:00Z", "receivedAt": "2099-01-01T00:00:00Z"},
            "past_timestamp future_received_at",
        ),
    ],
)
def test_a_time_that_can_not_be_true_is_kept_and_flagged(stated, flags):
    ordinary = {"timestamp": TEN, "receivedAt": LATER}

    ((times, neighbour), _) = settle(stated, ordinary)

    assert (times["flags"], neighbour["flags"]) == (flags, None)
