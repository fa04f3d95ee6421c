"""When a condition holds, and what a wrong one is told."""

from datetime import UTC, date, datetime

import pytest

from loader.errors import ConfigError
from loader.transformations.condition import read_condition

EVENT = {
    "event": "Order Completed",
    "userId": "u1",
    "properties": {
        "n": 5,
        "x": 1.5,
        "s": "blue sky",
        "yes": True,
        "tags": ["a", 1],
        "at": "2026-01-31T10:00:00+02:00",
        "null": None,
        "deep": {"a": {"b": {"c": "d"}}},
        "a.b": "dotted",
    },
}


def holds(condition):
    return read_condition(condition, "if")(EVENT)


@pytest.mark.parametrize(
    ("path", "operator", "value", "expected"),
    [
        ("n", "equals", 5, True),
        ("n", "equals", 5.0, True),
        ("n", "equals", "5", False),
        ("yes", "equals", True, True),
        ("yes", "equals", 1, False),
        ("n", "not_equals", 6, True),
        ("n", "less_than", 5, False),
        ("n", "greater_than", 4.9, True),
        ("n", "at_most", 5, True),
        ("n", "at_least", 6, False),
        ("s", "at_least", 1, False),
        ("yes", "at_least", 1, False),
        ("s", "contains", "e s", True),
        ("s", "contains", 5, False),
        ("n", "contains", "5", False),
        ("tags", "contains", 1, True),
        ("tags", "contains", True, False),
        ("tags", "not_contains", "b", True),
        ("s", "starts_with", "blue", True),
        ("s", "ends_with", "blue", False),
        ("n", "starts_with", "5", False),
        ("n", "exists", True, True),
        ("null", "exists", True, False),
        ("null", "not_exists", True, True),
        ("at", "before", "2026-01-31T08:00:01Z", True),
        ("at", "after", datetime(2026, 1, 31, 7, tzinfo=UTC), True),
        ("at", "after", date(2026, 2, 1), False),
        ("s", "before", "2026-01-31", False),
        ("n", "before", "2026-01-31", False),
        ("s", "one_of", ["red", "blue sky"], True),
        ("yes", "one_of", [1, "true"], False),
        ("s", "contains_one_of", ["red", "sky"], True),
        ("tags", "contains_one_of", ["b", 1], True),
        ("deep.a.b.c", "equals", "d", True),
        (r"a\.b", "equals", "dotted", True),
    ],
)
def test_an_operator(path, operator, value, expected):
    assert holds({f"properties.{path}": {operator: value}}) is expected


MISSING = {"equals": "a", "less_than": 1, "greater_than": 1, "at_most": 1, "at_least": 1}
MISSING |= {"contains": "a", "starts_with": "", "ends_with": "", "exists": True}
MISSING |= {"before": "2030-01-01", "after": "2000-01-01", "one_of": ["a"]}
MISSING |= {"contains_one_of": ["a"]}


@pytest.mark.parametrize("path", ["properties.missing", "properties.null", "properties.n.a", "x"])
def test_of_what_is_missing_only_the_negations_hold(path):
    assert [name for name, value in MISSING.items() if holds({path: {name: value}})] == []
    for name, value in {"not_equals": "a", "not_contains": "a", "not_exists": True}.items():
        assert holds({path: {name: value}})


def test_all_of_a_mapping_has_to_hold():
    assert holds({"properties.n": {"at_least": 1, "at_most": 9}, "userId": "u1"})
    assert not holds({"properties.n": {"at_least": 1, "at_most": 4}})
    assert not holds({"properties.n": 5, "userId": "u2"})


def test_conditions_are_joined_by_any_all_and_not():
    assert holds({"any": [{"userId": "u2"}, {"event": "Order Completed"}]})
    assert not holds({"all": [{"userId": "u2"}, {"event": "Order Completed"}]})
    assert holds({"not": {"userId": "u2"}, "any": [{"not": {"userId": "u1"}}, {"userId": "u1"}]})


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (5, "if: found 5, wanted a mapping"),
        ({}, "if: found {}, wanted a mapping"),
        ({"properties.n": {"greater": 1}}, "if.properties.n.greater: unknown key 'greater'"),
        ({"properties.n": {"less_than": "1"}}, "if.properties.n.less_than: found '1', wanted a n"),
        ({"properties.n": {"at_most": True}}, "wanted a number"),
        ({"properties.n": {"contains": [1]}}, "if.properties.n.contains: found [1]"),
        ({"properties.n": {"one_of": "a"}}, "wanted a list"),
        ({"properties.n": {"one_of": []}}, "wanted a list"),
        ({"properties.n": {"exists": False}}, "wanted true"),
        ({"properties.n": {"before": "soon"}}, "wanted a time"),
        ({"properties.n": None}, "if.properties.n.equals: found None"),
        ({"properties.n": {}}, "wanted {operator: value}"),
        ({"any": {"a": 1}}, "if.any: found {'a': 1}, wanted a list of conditions"),
        ({"any": [{"a": 1}, {}]}, "if.any[1]: found {}"),
        ({"not": []}, "if.not: found []"),
        ({"a..b": 1}, "wanted a path"),
    ],
)
def test_a_wrong_one_is_told_where(condition, told):
    with pytest.raises(ConfigError) as raised:
        read_condition(condition, "if")

    assert told in str(raised.value)
