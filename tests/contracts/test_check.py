import json

import pytest

from loader.contracts import Contracts, read_contracts

ORDER = {"order_id": "ORDER-789", "total": 14500, "currency": "RUB"}


def track(event, properties):
    return {"type": "track", "event": event, "userId": "u", "properties": properties}


@pytest.fixture
def contracts(workspace):
    return Contracts(read_contracts(workspace.schemas))


@pytest.fixture
def check(workspace):
    """What the value of one property breaks, by the rules that are given for it."""

    def broken(rules, value):
        contract = {"name": "Checked", "rules": {"properties": {"a": rules}}}
        (workspace.schemas / "track/checked.json").write_text(json.dumps(contract))
        contracts = Contracts(read_contracts(workspace.schemas))
        return contracts.violations(track("Checked", {"a": value}))

    return broken


def test_the_guides_order_is_let_in(contracts):
    product = {"product_id": "SKU-001", "price": 13500, "quantity": 1}

    assert contracts.violations(track("Order Completed", {**ORDER, "products": [product]})) == []


def test_a_total_sent_as_text_is_understood_at_once(contracts):
    (found,) = contracts.violations(track("Order Completed", {**ORDER, "total": "14500"}))

    assert found.rule == "type"
    assert found.path == "$.properties.total"
    assert found.message == '"14500" is a string; the contract wants a number >= 0'


@pytest.mark.parametrize(
    "event", ["order completed", "order_completed", "ORDER COMPLETED", "OrderCompleted!"]
)
def test_another_spelling_does_not_slip_past(contracts, event):
    assert contracts.violations(track(event, {**ORDER, "total": "14500"}))


@pytest.mark.parametrize(
    ("change", "rule", "path", "message"),
    [
        (
            {"total": -1},
            "minimum",
            "$.properties.total",
            "-1 is not allowed; the contract wants a number >= 0",
        ),
        (
            {"currency": "GBP"},
            "enum",
            "$.properties.currency",
            '"GBP" is not allowed; the contract wants one of "RUB", "USD", "EUR"',
        ),
        (
            {"products": [{"product_id": "a", "price": 1}, {"product_id": "b", "price": "1"}]},
            "type",
            "$.properties.products[1].price",
            '"1" is a string; the contract wants a number',
        ),
        (
            {"products": [{"price": 1}]},
            "required",
            "$.properties.products[0].product_id",
            "is missing; the contract wants a string",
        ),
        (
            {"products": {}},
            "type",
            "$.properties.products",
            "{} is an object; the contract wants an array",
        ),
        (
            {"order_id": None},
            "type",
            "$.properties.order_id",
            "null is null; the contract wants a string",
        ),
        (
            {"total": True},
            "type",
            "$.properties.total",
            "true is a boolean; the contract wants a number >= 0",
        ),
    ],
)
def test_each_rule_of_the_guide_is_held(contracts, change, rule, path, message):
    (found,) = contracts.violations(track("Order Completed", {**ORDER, **change}))

    assert (found.rule, found.path, found.message) == (rule, path, message)


def test_everything_that_is_broken_is_told(contracts):
    found = contracts.violations(track("Order Completed", {"total": "1", "currency": "GBP"}))

    assert {(violation.rule, violation.path) for violation in found} == {
        ("type", "$.properties.total"),
        ("enum", "$.properties.currency"),
        ("required", "$.properties.order_id"),
    }


def test_an_event_breaks_its_own_contract_and_the_common_one(contracts):
    event = {**track("Order Completed", {**ORDER, "total": "1"}), "context": {"ip": 1}}

    paths = [found.path for found in contracts.violations(event)]

    assert paths == ["$.properties.total", "$.context.ip"]


@pytest.mark.parametrize(
    ("call", "body", "path"),
    [
        ({"type": "identify", "traits": {"email": 5}}, "traits", "$.traits.email"),
        ({"type": "group", "traits": {"plan": []}}, "traits", "$.traits.plan"),
        ({"type": "page", "properties": {"url": 5}}, "properties", "$.properties.url"),
    ],
)
def test_a_calls_contract_speaks_of_its_traits_or_properties(contracts, call, body, path):
    (found,) = contracts.violations(call)

    assert found.path == path
    assert contracts.violations({**call, body: {}}) == []


def test_what_no_contract_speaks_of_is_let_in(contracts):
    assert contracts.violations(track("Something Else", {"total": "14500"})) == []


def test_a_whole_event_schema_in_a_tracking_plans_wrapping_is_held(workspace):
    plan = {
        "name": "Checked",
        "version": 1,
        "rules": {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "properties": {
                "context": {"required": ["ip"]},
                "properties": {"type": "object", "required": ["a"]},
            },
            "required": ["properties"],
        },
    }
    (workspace.schemas / "track/checked.json").write_text(json.dumps(plan))
    contracts = Contracts(read_contracts(workspace.schemas))

    found = contracts.violations({**track("Checked", {}), "context": {}})

    assert {violation.path for violation in found} == {"$.properties.a", "$.context.ip"}


@pytest.mark.parametrize(
    ("rules", "value", "said"),
    [
        ({"maxLength": 5}, "x" * 500, "is too long"),
        ({"maxItems": 1}, list(range(500)), "is too long"),
        ({"minItems": 3}, [1], "[1] is too short"),
        ({"uniqueItems": True}, ["x" * 500, "x" * 500], "has non-unique elements"),
        ({"multipleOf": 5}, 3, "3 is not a multiple of 5"),
        ({"anyOf": [{"type": "string"}, {"type": "number"}]}, True, "not valid under any"),
        ({"additionalProperties": False}, {"b": 1}, "'b' was unexpected"),
        ({"format": "date-time"}, "yesterday", '"yesterday" is no date-time'),
        ({"pattern": "^a"}, "b", "\"b\" does not match '^a'"),
        ({"const": 3}, 4, "the contract wants 3"),
        ({"enum": ["a", None]}, "b", 'one of "a", null'),
        ({"type": ["string", "null"]}, 5, "a string or null"),
        ({"type": "integer"}, 1.5, "the contract wants a whole number"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 9}, 0, "a number <= 9 and > 0"),
        (False, 1, "1 is not allowed there"),
        ({"type": "string"}, 10**200, "is a number; the contract wants a string"),
        ({"maximum": 5}, 2**64, "wants a value <= 5"),
    ],
)
def test_a_message_says_what_is_wrong_however_large_the_value(check, rules, value, said):
    (found,) = check(rules, value)

    assert said in found.message
    assert len(found.message) < 250
    assert found.path.startswith("$.properties")
    assert found.rule != "None"


@pytest.mark.parametrize(
    ("rules", "value"),
    [
        ({"type": "integer"}, 2.0),
        ({"type": "number"}, 10**200),
        ({"type": "number"}, 2**64),
        ({"format": "date-time"}, "2024-05-01T10:00:00Z"),
        ({"type": "array"}, []),
        (True, "anything"),
    ],
)
def test_what_a_schema_allows_is_let_in(check, rules, value):
    assert check(rules, value) == []
