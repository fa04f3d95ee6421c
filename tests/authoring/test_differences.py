import json

import pytest

from loader.authoring import compare_plans
from loader.contracts import read_contracts
from loader.event.values import ColumnType

ORDER = {"name": "Order Paid", "rules": {"properties": {"total": {"type": "number"}}}}


@pytest.fixture
def plan(tmp_path):
    """Writes a plan, file by file, and reads it."""
    count = iter(range(10))

    def make(**files):
        folder = tmp_path / f"plan-{next(count)}"
        for name, document in files.items():
            place = "" if name in ("identify", "common", "page") else "track/"
            path = folder / f"{place}{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(document))
        return read_contracts(folder)

    return make


def order(rules):
    return {"name": "Order Paid", "rules": {"properties": {"total": rules}}}


def test_a_plan_does_not_differ_from_itself(plan):
    found = compare_plans(plan(order=ORDER), plan(order=ORDER))

    assert (found.events, found.is_breaking) == ([], False)


def test_a_new_event_is_compatible_unless_strict(plan):
    strict_order = {"name": "Order Paid", "rules": {"required": ["total"]}}

    found = compare_plans(plan(), plan(order=strict_order))
    strict = compare_plans(plan(), plan(order=strict_order), is_strict=True)

    assert [(e.name, e.status) for e in found.events] == [("Order Paid", "added")]
    assert not found.is_breaking
    assert strict.is_breaking


@pytest.mark.parametrize("blocks_unplanned", [True, False])
def test_an_event_taken_out_breaks_where_unplanned_events_are_blocked(plan, blocks_unplanned):
    found = compare_plans(plan(order=ORDER), plan(), blocks_unplanned=blocks_unplanned)

    assert [event.status for event in found.events] == ["removed"]
    assert found.is_breaking is blocks_unplanned


@pytest.mark.parametrize("call", ["identify", "common"])
def test_a_first_contract_of_a_call_that_is_there_anyway_is_held_against_no_rules(plan, call):
    whole = {"title": call, "required": ["userId"], "properties": {"traits": {}}}
    short = {"name": call, "rules": {"required": ["email"]}}

    found = compare_plans(plan(), plan(**{call: whole if call == "common" else short}))

    assert [event.status for event in found.events] == ["added"]
    assert found.is_breaking


def test_the_shape_of_a_contract_is_no_change(plan):
    properties = {"type": ["object", "null"], **ORDER["rules"]}
    whole = {"name": "Order Paid", "properties": {"properties": properties}}

    assert compare_plans(plan(order=ORDER), plan(order=whole)).events == []
    assert compare_plans(plan(order=whole), plan(order=ORDER)).events == []


def test_a_contract_in_another_file_under_another_spelling_is_the_same(plan):
    renamed = {**ORDER, "name": "order paid"}

    assert compare_plans(plan(a=ORDER), plan(b=renamed)).events == []


def test_changes_are_told_by_their_place_in_the_event(plan):
    found = compare_plans(plan(order=ORDER), plan(order=order({"type": "integer"})))

    [event] = found.events
    assert [(c.verdict, c.rule, c.path) for c in event.changes] == [
        ("breaking", "type", "$.properties.total")
    ]


def test_a_column_that_would_have_another_type_is_told(plan):
    found = compare_plans(
        plan(order=ORDER), plan(order=order({"type": ["string", "number", "null"]}))
    )
    widened = compare_plans(plan(order=order({"type": "integer"})), plan(order=ORDER))

    [event] = found.events
    assert event.columns == []  # the contract has no say in it any more
    [column] = widened.events[0].columns
    assert (column.column, column.old, column.new) == ("total", ColumnType.INT, ColumnType.FLOAT)
    assert not widened.is_breaking


def version(number, rules):
    return {**order(rules), "version": number}


def told(found):
    return [(event.version, event.status) for event in found.events]


def test_versions_are_compared_each_with_itself(plan):
    old = plan(a=version(1, {}), b=version(2, {"type": "number"}))
    new = plan(a=version(1, {}), b=version(2, {"type": "integer"}))

    found = compare_plans(old, new)

    assert told(found) == [(2, "changed")]
    assert found.is_breaking


def test_a_new_version_is_compatible_unless_it_is_the_oldest_or_strict(plan):
    old = plan(a=version(2, {"type": "number"}))
    newer = plan(a=version(2, {"type": "number"}), b=version(3, {"type": "integer"}))
    older = plan(a=version(2, {"type": "number"}), b=version(1, {"type": "integer"}))

    assert told(compare_plans(old, newer)) == [(3, "added")]
    assert not compare_plans(old, newer).is_breaking
    assert compare_plans(old, newer, is_strict=True).is_breaking
    assert told(compare_plans(old, older)) == [(1, "added")]
    assert compare_plans(old, older).is_breaking


@pytest.mark.parametrize(("kept", "is_breaking"), [("integer", True), ("number", False)])
def test_events_of_a_version_that_is_gone_are_held_to_the_oldest(plan, kept, is_breaking):
    old = plan(a=version(1, {"type": kept}), b=version(2, {"type": "number"}))

    found = compare_plans(old, plan(a=version(1, {"type": kept})))

    assert told(found) == [(2, "removed")]
    assert found.is_breaking is is_breaking


def test_a_description_is_no_change(plan):
    described = {**ORDER, "description": "paid in full"}

    assert compare_plans(plan(order=ORDER), plan(order=described)).events == []
