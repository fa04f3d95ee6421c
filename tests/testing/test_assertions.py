"""What the assertions let pass, and how their failures read."""

import threading
import time

import pytest

from loader.testing import assert_identified, assert_not_tracked, assert_tracked
from tests.testing.conftest import order


def failure(assertion, *arguments, **options):
    with pytest.raises(AssertionError) as failed:
        assertion(*arguments, **options)
    return str(failed.value)


def test_an_event_that_came_is_found_and_given(collector, send):
    send(order())

    found = assert_tracked(collector, "Order Completed", {"total": 14500}, user_id="u-1")

    assert found["messageId"] == "m-1"
    assert found["properties"]["order_id"] == "o-1"


def test_an_event_that_is_still_on_its_way_is_waited_for(collector, send):
    later = threading.Timer(0.3, send, [order()])
    later.start()

    assert_tracked(collector, "Order Completed")

    later.join()


def test_as_soon_as_the_event_is_there_the_wait_is_over(collector, send):
    send(order())
    started = time.monotonic()

    assert_tracked(collector, "Order Completed", within_seconds=60)

    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "wanted",
    [
        {"event": "Order completed"},
        {"properties": {"total": 14501}},
        {"properties": {"coupon": "SALE"}},
        {"user_id": "u-2"},
        {"anonymous_id": "a-1"},
    ],
)
def test_an_event_that_differs_anywhere_is_not_it(collector, send, wanted):
    send(order())
    options = {"event": "Order Completed", **wanted}

    said = failure(assert_tracked, collector, **options, within_seconds=0)

    assert "did not come (waited 0 s)" in said
    assert "others that came, the nearest first (1 in all):" in said


def test_a_failure_shows_what_came_instead(collector, send):
    send(order(properties={"order_id": "o-1", "total": "14500", "currency": "RUB"}))
    send([order(event="Order Complete", messageId="m-2"), {"type": "identify", "userId": "u-1"}])

    said = failure(
        assert_tracked, collector, "Order Completed", {"total": 14500}, within_seconds=0.1
    )

    assert said == (
        'track "Order Completed" with {"total": 14500} did not come (waited 0.1 s)\n'
        "  others that came, the nearest first (3 in all):\n"
        '  - track "Order Completed" of userId "u-1"\n'
        '      properties.total: "14500" (a string), wanted 14500 (a number)\n'
        '      breaks a rule: $.properties.total: "14500" is a string;'
        " the contract wants a number >= 0\n"
        '  - track "Order Complete" of userId "u-1"\n'
        '      event: "Order Complete", wanted "Order Completed"\n'
        '  - identify of userId "u-1"\n'
        '      type: "identify", wanted "track"\n'
        '      event: missing, wanted "Order Completed"\n'
        '      properties: missing, wanted {"total": 14500}'
    )


def test_where_nothing_came_the_failure_says_where_to_look(collector):
    said = failure(assert_tracked, collector, "Order Completed", within_seconds=0)

    assert f"no event came at all: does the SDK send to {collector.url}" in said


def test_requests_that_were_refused_are_told(collector, send):
    assert send(order(), key="wrong") == 401

    said = failure(assert_tracked, collector, "Order Completed", within_seconds=0)

    assert "requests refused with 401 (a wrong write key?): 1" in said


def test_an_event_that_breaks_its_contract_fails_with_the_contracts_message(collector, send):
    send(order(properties={"order_id": "o-1", "total": -5, "currency": "RUB"}))

    said = failure(assert_tracked, collector, "Order Completed", {"total": -5})

    assert said.startswith('track "Order Completed" of userId "u-1" came, but a load would keep')
    assert "$.properties.total: " in said


def test_an_event_of_nobody_fails(collector, send):
    send(order(userId=None))

    said = failure(assert_tracked, collector, "Order Completed")

    assert "neither userId nor anonymousId is there" in said


def test_times_counts_events_and_one_sent_twice_once(collector, send):
    send(order())
    send(order())
    send(order(messageId="m-2"))

    assert_tracked(collector, "Order Completed", times=2)
    said = failure(assert_tracked, collector, "Order Completed", times=1)

    assert "came 2 x, not 1 x" in said
    assert said.count("  came: ") == 2
    assert "messageId 'm-2'" in said


def test_an_event_too_many_that_comes_a_moment_later_is_noticed(collector, send):
    send(order())
    later = threading.Timer(0.1, send, [order(messageId="m-2")])
    later.start()

    said = failure(assert_tracked, collector, "Order Completed", times=1)

    later.join()
    assert "came 2 x, not 1 x" in said


def test_too_few_are_told_with_what_came_instead(collector, send):
    send([order(), order(messageId="m-2", properties={"total": 1})])

    said = failure(
        assert_tracked, collector, "Order Completed", {"total": 14500}, times=2, within_seconds=0.1
    )

    assert "came 1 x, not 2 x" in said
    assert "properties.total: 1, wanted 14500" in said


def test_no_times_is_for_another_assertion(collector):
    with pytest.raises(ValueError, match="assert_not_tracked"):
        assert_tracked(collector, "Order Completed", times=0)


def test_an_event_that_does_not_come_passes_as_not_tracked(collector, send):
    send(order())

    assert_not_tracked(collector, "Order Refunded", within_seconds=0.1)
    assert_not_tracked(collector, "Order Completed", {"total": 1}, within_seconds=0.1)


def test_an_event_that_comes_fails_as_not_tracked_with_what_it_says(collector, send):
    later = threading.Timer(0.1, send, [order()])
    later.start()

    said = failure(assert_not_tracked, collector, "Order Completed", within_seconds=20)

    later.join()
    assert said.startswith('track "Order Completed" came, and should not have:')
    assert '"total": 14500' in said


def test_an_identify_is_found_by_its_user_and_traits(collector, send):
    send({"type": "identify", "userId": "u-1", "traits": {"plan": "pro", "age": 41}})

    assert_identified(collector, "u-1", {"plan": "pro"})
    said = failure(assert_identified, collector, "u-1", {"plan": "free"}, within_seconds=0)

    assert 'traits.plan: "pro", wanted "free"' in said


def test_the_failure_points_at_the_line_of_the_test_and_not_into_the_assertion(collector):
    with pytest.raises(AssertionError) as failed:
        assert_tracked(collector, "Order Completed", within_seconds=0)

    assert [entry.name for entry in failed.traceback.filter(failed)] == [
        "test_the_failure_points_at_the_line_of_the_test_and_not_into_the_assertion"
    ]
