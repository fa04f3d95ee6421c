"""When an event is the one that was wanted, and what is said when it is not."""

from unittest.mock import ANY

import pytest

from loader.testing.matching import described, differences, nearest, title


def told(wanted, found):
    return [str(difference) for difference in differences(wanted, found)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, {"a": 1}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}),
        ({"a": 14500}, {"a": 14500.0}),
        ({"a": None}, {"a": None}),
        ({"a": ANY}, {"a": {"b": 1}}),
        ({"a": pytest.approx(0.3)}, {"a": 0.1 + 0.2}),
        ({"a": {}}, {"a": []}),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1, "c": 2}]}),
        ({"a": (1, 2)}, {"a": [1, 2]}),
    ],
)
def test_an_event_may_have_more_than_is_wanted(wanted, found):
    assert told(wanted, found) == []


@pytest.mark.parametrize(
    ("wanted", "found", "difference"),
    [
        ({"a": 1}, {"a": 2}, "a: 2, wanted 1"),
        ({"a": 1}, {"a": "1"}, 'a: "1" (a string), wanted 1 (a number)'),
        ({"a": True}, {"a": 1}, "a: 1 (a number), wanted true (a boolean)"),
        ({"a": 0}, {"a": False}, "a: false (a boolean), wanted 0 (a number)"),
        ({"a": None}, {}, "a: missing, wanted null"),
        ({"a": ANY}, {}, 'a: missing, wanted "<ANY>"'),
        ({"a": 1}, {"a": None}, "a: null, wanted 1"),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "a.b: 2, wanted 1"),
        ({"a": {"b": 1}}, {"a": 5}, 'a: 5 (a number), wanted {"b": 1} (an object)'),
        ({"a": [1]}, {"a": [1, 2]}, "a: [1, 2], wanted [1]"),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, "a[0].b: 2, wanted 1"),
        ({"a": [1]}, {"a": "x"}, 'a: "x" (a string), wanted [1] (an array)'),
        ({"a": "é"}, {"a": "e"}, 'a: "e", wanted "é"'),
    ],
)
def test_each_difference_is_told_with_its_place(wanted, found, difference):
    assert told(wanted, found) == [difference]


def test_a_long_value_is_cut():
    [difference] = told({"a": 1}, {"a": "x" * 10_000})

    assert len(difference) < 300
    assert "…" in difference


def test_the_nearest_is_the_same_call_of_a_name_most_alike_with_the_fewest_differences():
    wanted = {"type": "track", "event": "Order Completed", "properties": {"a": 1, "b": 2}}
    near = {"type": "track", "event": "Order Completed", "properties": {"a": 1, "b": 3}}
    further = {"type": "track", "event": "Order Completed", "properties": {}}
    other = {"type": "track", "event": "order complete", "properties": {"a": 1, "b": 2}}
    strange = {"type": "track", "event": "Signed Up"}
    page = {"type": "page", "name": "Order Completed"}
    broken = {"event": 5}

    found = nearest(wanted, [broken, page, strange, other, further, near])

    assert found[:4] == [near, further, other, strange]
    assert len(found) == 5


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"type": "track", "event": "A", "userId": "u"}, 'track "A" of userId "u"'),
        ({"type": "page", "name": "Home", "anonymousId": "x"}, 'page "Home" of anonymousId "x"'),
        ({"type": "identify", "userId": "u"}, 'identify of userId "u"'),
        ({}, "an event without type"),
    ],
)
def test_an_event_has_a_title(event, words):
    assert title(event) == words


def test_an_event_is_described_with_what_it_says():
    assert described({"type": "track", "properties": {"a": 1}}) == 'track with {"a": 1}'
    assert described({"type": "identify", "traits": {"a": 1}}) == 'identify with {"a": 1}'
    assert described({"type": "track", "properties": {}}) == "track"
