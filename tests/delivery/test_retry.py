import pytest

from loader.delivery import RetryPolicy, retry_after_seconds

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("Tue, 14 Nov 2023 22:14:20 -0000", 60.0),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("inf", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value, seconds):
    assert retry_after_seconds(value, NOW) == seconds


def test_backoff_doubles_up_to_its_ceiling():
    policy = RetryPolicy(base_seconds=1.0, ceiling_seconds=5.0, random=lambda: 1.0)

    assert [policy.pause_seconds(failures) for failures in (1, 2, 3, 4, 5)] == [1, 2, 4, 5, 5]


def test_backoff_has_full_jitter():
    shortest = RetryPolicy(base_seconds=8.0, random=lambda: 0.0)
    middle = RetryPolicy(base_seconds=8.0, random=lambda: 0.5)

    assert shortest.pause_seconds(1) == 0.0
    assert middle.pause_seconds(1) == 4.0
