"""What becomes of an event that breaks its contract, or has none, by each source's policy."""

import pytest

from loader.config import Config, ContractsConfig, SourceConfig, SourceContractsConfig
from loader.contracts import Contracts, read_contracts
from tests.contracts.verdicts import ORDER, told, track


@pytest.mark.parametrize("on_violation", ["block", "omit", "allow"])
def test_a_good_event_is_let_in_as_it_is(judge, on_violation):
    event = track("Order Completed", ORDER)

    assert judge(event, on_violation=on_violation, unplanned_events="block") is None
    assert judge(event, on_violation=on_violation, unplanned_properties="omit") is None


def test_block_keeps_it_back_and_tells_what_every_contract_finds(judge):
    event = track("Order Completed", {**ORDER, "total": "1"}, context={"ip": 1})

    verdict = judge(event)

    assert verdict.event is None
    assert told(verdict) == {"block": [("type", "$.properties.total"), ("type", "$.context.ip")]}


def test_allow_lets_it_in_whole_and_tells(judge):
    event = track("Order Completed", {**ORDER, "total": "1"})

    verdict = judge(event, on_violation="allow")

    assert verdict.event is event
    assert told(verdict) == {"allow": [("type", "$.properties.total")]}


def test_omit_lets_it_in_without_what_breaks_the_rules(judge):
    event = track("Order Completed", {**ORDER, "total": "1"}, context={"ip": 1, "locale": "ru"})

    verdict = judge(event, on_violation="omit")

    omitted = ["$.properties.total", "$.context.ip"]
    assert verdict.event == track(
        "Order Completed",
        {"order_id": "ORDER-789", "currency": "RUB"},
        context={"locale": "ru", "protocols": {"omitted": omitted}},
    )
    assert told(verdict) == {"omit": [("type", path) for path in omitted]}


def test_what_leaving_out_cannot_mend_is_let_in_and_told_apart(judge):
    event = track("Order Completed", {"order_id": 5, "currency": "RUB"})

    verdict = judge(event, on_violation="omit")

    assert verdict.event["properties"] == {"currency": "RUB"}
    assert told(verdict) == {
        "omit": [("type", "$.properties.order_id")],
        "allow": [("required", "$.properties.total")],
    }


def test_the_common_contract_sees_what_is_left(judge, write):
    write({"name": "Checked", "rules": {"properties": {"a": {"type": "string"}}}})
    write(
        {
            "properties": {
                "properties": {"properties": {"a": {"maximum": 3}, "b": {"type": "string"}}}
            }
        },
        "common.json",
    )

    verdict = judge(track("Checked", {"a": 5, "b": 5, "c": 5}), on_violation="omit")

    assert verdict.event["properties"] == {"c": 5}
    assert told(verdict) == {"omit": [("type", "$.properties.a"), ("type", "$.properties.b")]}


@pytest.mark.parametrize(
    ("rules", "properties", "left", "omitted"),
    [
        (
            {"a": {"properties": {"b": {"type": "string"}}}},
            {"a": {"b": 1, "c": 2}},
            {"a": {"c": 2}},
            ["$.properties.a.b"],
        ),
        (
            {"a": {"items": {"properties": {"b": {"type": "string"}}}}},
            {"a": [{"b": 1, "c": 2}, {"b": "x"}, {"b": 3}]},
            {"a": [{"c": 2}, {"b": "x"}, {}]},
            ["$.properties.a[0].b", "$.properties.a[2].b"],
        ),
        (  # an item alone would move the others
            {"a": {"items": {"type": "string"}}},
            {"a": ["x", 1, 2], "d": 1},
            {"d": 1},
            ["$.properties.a"],
        ),
        (
            {"a": {"items": {"items": {"type": "string"}}}},
            {"a": [["x"], [1]], "d": 1},
            {"d": 1},
            ["$.properties.a"],
        ),
        (
            {"a": {"additionalProperties": False, "properties": {"b": {}}}},
            {"a": {"b": 1, "c": 2, "d e": 3}},
            {"a": {"b": 1}},
            ["$.properties.a.c", "$.properties.a['d e']"],
        ),
        (
            {"a": {"additionalProperties": False, "patternProperties": {"^x": {}}}},
            {"a": {"xy": 1, "c": 2}},
            {"a": {"xy": 1}},
            ["$.properties.a.c"],
        ),
        (
            {"a": {"propertyNames": {"maxLength": 1}}},
            {"a": {"bb": "bb", "c": 2}},
            {"a": {"c": 2}},
            ["$.properties.a.bb"],
        ),
        ({"a": False}, {"a": 1, "b": 1}, {"b": 1}, ["$.properties.a"]),
        (
            {"a": {"patternProperties": {"^x": False}}},
            {"a": {"xy": 1, "c": 1}},
            {"a": {"c": 1}},
            ["$.properties.a.xy"],
        ),
        ({"a": {"minItems": 2}}, {"a": [1], "b": 2}, {"b": 2}, ["$.properties.a"]),
        (
            {"a": {"minProperties": 2, "properties": {"b": {"type": "string"}}}},
            {"a": {"b": 1}},
            {},
            ["$.properties.a", "$.properties.a.b"],
        ),
    ],
)
def test_what_is_omitted_is_the_nearest_key(judge, write, rules, properties, left, omitted):
    write({"name": "Checked", "rules": {"properties": rules}})

    verdict = judge(track("Checked", properties), on_violation="omit")

    assert verdict.event["properties"] == left
    assert sorted(verdict.event["context"]["protocols"]["omitted"]) == omitted
    assert set(verdict.violations) == {"omit"}


@pytest.mark.parametrize(
    ("rules", "properties"),
    [
        ({"required": ["a"]}, {"b": 1}),
        ({"dependencies": {"b": ["a"]}}, {"b": 1}),
        ({"minProperties": 2}, {"b": 1}),
        ({"anyOf": [{"required": ["a"]}, {"required": ["c"]}]}, {"b": 1}),
        ({"if": {"required": ["b"]}, "then": {"required": ["a"]}}, {"b": 1}),
        ({"not": {"required": ["b"]}}, {"b": 1}),
        ({"properties": {"b": {"required": ["c"]}}}, {"b": {"d": 1}}),
    ],
)
def test_a_missing_property_or_a_broken_root_rule_lets_all_of_it_in(
    judge, write, rules, properties
):
    write({"name": "Checked", "rules": rules})
    event = track("Checked", properties)

    verdict = judge(event, on_violation="omit")

    assert verdict.event is event
    assert set(verdict.violations) == {"allow"}


def test_the_envelope_is_never_left_out(judge, write):
    write({"maxProperties": 1, "properties": {"userId": {"type": "number"}}}, "common.json")
    event = track("Order Completed", ORDER)

    verdict = judge(event, on_violation="omit")

    assert verdict.event is event
    assert told(verdict) == {"allow": [("maxProperties", "$"), ("type", "$.userId")]}


def test_all_that_breaks_rules_is_left_out_though_not_all_of_it_is_told(judge, write):
    write({"name": "Checked", "rules": {"additionalProperties": {"type": "string"}}})

    verdict = judge(track("Checked", {f"p{n}": n for n in range(500)}), on_violation="omit")

    assert verdict.event["properties"] == {}
    assert len(verdict.event["context"]["protocols"]["omitted"]) == 500
    assert len(verdict.violations["omit"]) == 20


@pytest.mark.parametrize("protocols", [{"event_version": 1}, "text", None])
def test_what_stands_in_protocols_stays(judge, protocols):
    event = track("Order Completed", {**ORDER, "total": "1"}, context={"protocols": protocols})

    verdict = judge(event, on_violation="omit")

    stated = protocols if isinstance(protocols, dict) else {}
    assert verdict.event["context"]["protocols"] == {**stated, "omitted": ["$.properties.total"]}


def test_each_source_may_have_a_policy_of_its_own(workspace):
    sources = {
        "web": SourceConfig(contracts=SourceContractsConfig(on_violation="omit")),
        "server": SourceConfig(contracts=SourceContractsConfig(unplanned_events="block")),
    }
    config = Config(sources=sources, contracts=ContractsConfig(on_violation="allow"))
    contracts = Contracts(read_contracts(workspace.schemas), config)
    event = track("Order Completed", {**ORDER, "total": "1"})
    unplanned = track("Something Else", {})

    done = {
        source: set(contracts.judge(event, source).violations)
        for source in ("web", "server", "file")
    }

    assert done == {"web": {"omit"}, "server": {"allow"}, "file": {"allow"}}
    assert contracts.judge(unplanned, "server").event is None
    assert contracts.judge(unplanned, "web") is None
    assert contracts.blocks_unplanned_events
    assert not contracts.omits_unplanned_properties
