import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loader.event.values import MISFIT, ColumnType, fit, json_text, parse_timestamps, type_of

T = ColumnType


@pytest.mark.parametrize(
    ("value", "column_type"),
    [
        (True, T.BOOL),
        (0, T.INT),
        (2**63 - 1, T.INT),
        (-(2**63), T.INT),
        (2**63, None),
        (1.0, T.FLOAT),
        ("x", T.TEXT),
        ("", T.TEXT),
        ([], T.TEXT),
        ("2024-05-01T10:00:00Z", T.TIMESTAMP),
        ("2024-05-01T10:00:00.123+03:00", T.TIMESTAMP),
        ("2024-05-01T10:00:00.123456789Z", T.TEXT),  # nanoseconds would be lost
        ("2024-05-01T10:00:00", T.TEXT),  # no zone
        ("2024-05-01", T.TEXT),
        ("2024-13-01T10:00:00Z", T.TEXT),
        ("0000-01-01T00:00:00Z", T.TEXT),  # no year of the calendar
        ("9999-12-31T23:59:59-10:00", T.TEXT),  # the year 10000 in UTC
        ("٢٠٢٤-05-01T10:00:00Z", T.TEXT),
    ],
)
def test_the_first_value_gives_the_type(value, column_type):
    assert type_of(value) is column_type


@pytest.mark.parametrize(
    ("value", "wanted", "fitted"),
    [
        (5, T.TEXT, "5"),
        (True, T.TEXT, "true"),
        ([1, {"a": None}], T.TEXT, '[1,{"a":null}]'),
        (10**30, T.TEXT, "1" + "0" * 30),
        (2.0, T.INT, 2),
        (2.5, T.INT, MISFIT),
        (1e300, T.INT, MISFIT),
        (True, T.INT, MISFIT),
        (1, T.BOOL, MISFIT),
        (2**53, T.FLOAT, float(2**53)),
        (2**53 + 1, T.FLOAT, MISFIT),
        ("1", T.INT, MISFIT),
        ("1", T.FLOAT, MISFIT),
        ([1], T.INT, MISFIT),
        ("soon", T.TIMESTAMP, MISFIT),
        (1714557600, T.TIMESTAMP, MISFIT),
    ],
)
def test_a_value_fits_only_without_loss(value, wanted, fitted):
    found = fit(value, wanted)

    assert found == fitted
    assert type(found) is type(fitted)


def test_one_text_that_is_no_time_spoils_the_rest():
    assert parse_timestamps(["2024-05-01T10:00:00Z", None]).null_count == 1
    assert parse_timestamps(["2024-05-01T10:00:00Z", "soon"]) is None
    assert parse_timestamps([]) is not None


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans())
def test_a_number_that_fits_is_the_same_number(value):
    for wanted in (T.INT, T.FLOAT):
        fitted = fit(value, wanted)
        if fitted is not MISFIT:
            assert fitted == value
            assert math.copysign(1, fitted) == math.copysign(1, value) or value == 0


@given(st.integers())
def test_an_integer_of_any_size_can_be_written_as_json(value):
    assert json_text(value) == str(value)
