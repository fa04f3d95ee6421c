"""What becomes of events and properties that no contract knows, if they are not wanted."""

import pytest

from loader.contracts import Violation
from tests.contracts.verdicts import ORDER, told, track


def test_an_unplanned_event_is_blocked_on_request(judge):
    event = track("Order Complete", ORDER)

    verdict = judge(event, unplanned_events="block", on_violation="allow")

    assert judge(event) is None
    assert verdict.event is None
    assert verdict.violations["block"] == [
        Violation(
            "unplanned_event",
            "$.event",
            '"Order Complete" has no contract; its source takes only events that have one',
        )
    ]


@pytest.mark.parametrize("call", ["screen", "alias"])
def test_calls_other_than_track_are_no_events_to_plan(judge, call):
    assert judge({"type": call, "userId": "u", "context": {}}, unplanned_events="block") is None


def test_unplanned_properties_are_omitted_on_request(judge):
    event = track(
        "Order Completed",
        {**ORDER, "coupon": "X", "products": [{"product_id": "a", "price": 1, "brand": "b"}]},
        context={"app": {"build": 5}},
    )

    verdict = judge(event, unplanned_properties="omit")

    omitted = ["$.properties.coupon", "$.properties.products[0].brand"]
    assert verdict.event["properties"] == {**ORDER, "products": [{"product_id": "a", "price": 1}]}
    assert verdict.event["context"] == {"app": {"build": 5}, "protocols": {"omitted": omitted}}
    assert told(verdict) == {"omit": [("unplanned_property", path) for path in omitted]}


@pytest.mark.parametrize(
    ("rules", "properties", "unplanned"),
    [
        ({"properties": {"a": {}}}, {"a": 1, "b": 2}, ["$.properties.b"]),
        ({"properties": {"a": {}}}, {"a": {"free": 1}}, []),
        ({"properties": {"a": True}}, {"a": {"free": [{"x": 1}]}}, []),
        ({"required": ["a"]}, {"a": 1, "b": 2}, []),
        ({"required": ["a"], "properties": {}}, {"a": 1, "b": 2}, ["$.properties.b"]),
        ({"properties": {"a": {}}, "additionalProperties": True}, {"b": 2}, []),
        ({"properties": {"a": {}}, "additionalProperties": {"type": "number"}}, {"b": 2}, []),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"b": 2}, ["$.properties.b"]),
        ({"properties": {"a": {}}, "patternProperties": {"^x_": {}}}, {"x_1": 2}, []),
        ({"properties": {"a": {}}, "allOf": [{"properties": {"b": {}}}]}, {"b": 2}, []),
        ({"properties": {"a": {}}, "if": {}, "then": {"properties": {"b": {}}}}, {"b": 2}, []),
        (
            {"properties": {"a": {"items": [{"properties": {"b": {}}}]}}},
            {"a": [{"b": 1, "c": 2}, 5]},
            ["$.properties.a[0].c"],
        ),
    ],
)
def test_what_a_contract_knows_is_planned(judge, write, rules, properties, unplanned):
    write({"name": "Checked", "rules": rules})

    verdict = judge(track("Checked", properties), unplanned_properties="omit")

    found = [each.path for each in verdict.violations["omit"]] if verdict else []
    assert found == unplanned


def test_a_tree_of_objects_is_known_to_its_leaves(judge, write):
    node = {"properties": {"name": {}, "of": {"items": {"$ref": "#/definitions/node"}}}}
    write(
        {
            "title": "Checked",
            "definitions": {"node": node},
            "properties": {"properties": {"$ref": "#/definitions/node"}},
        }
    )
    leaf = {"name": "leaf", "extra": 1}

    verdict = judge(track("Checked", {"of": [{"of": [leaf]}]}), unplanned_properties="omit")

    assert verdict.event["properties"] == {"of": [{"of": [{"name": "leaf"}]}]}


def test_what_the_common_contract_describes_is_planned_in_every_event(judge, write):
    write({"properties": {"properties": {"properties": {"ab_test": {}}}}}, "common.json")
    event = track("Order Completed", {**ORDER, "ab_test": "B"})

    assert judge(event, unplanned_properties="omit") is None


def test_an_event_without_a_contract_has_no_unplanned_properties(judge):
    assert judge(track("Something Else", {"a": 1}), unplanned_properties="omit") is None


def test_unplanned_traits_are_omitted_too(judge):
    event = {"type": "identify", "userId": "u", "context": {}, "traits": {"email": "a", "x": 1}}

    verdict = judge(event, unplanned_properties="omit")

    assert verdict.event["traits"] == {"email": "a"}


def test_rules_are_held_to_what_is_left_of_the_planned(judge, write):
    closed = {"properties": {"a": {}}, "additionalProperties": False}
    write({"name": "Checked", "rules": closed})

    verdict = judge(track("Checked", {"a": 1, "b": 2}), unplanned_properties="omit")

    assert verdict.event["properties"] == {"a": 1}


def test_a_blocked_event_tells_only_why_it_was_blocked(judge):
    event = track("Order Completed", {**ORDER, "total": "1", "coupon": "X"})

    verdict = judge(event, unplanned_properties="omit")

    assert told(verdict) == {"block": [("type", "$.properties.total")]}
