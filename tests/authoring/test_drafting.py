import shutil
from pathlib import Path

import pytest

from loader.authoring import draft_contracts, lint_contracts, try_events, write_contracts
from loader.config import Config
from loader.contracts import read_contracts
from loader.errors import ConfigError


def events(count, name="Trial Started", **properties):
    """Events whose properties are given, or made from their number."""
    return [
        {
            "type": "track",
            "event": name,
            "messageId": f"{name}-{number}",
            "userId": "u",
            "properties": {
                key: value(number) if callable(value) else value
                for key, value in properties.items()
                if not callable(value) or value(number) is not ...
            },
        }
        for number in range(count)
    ]


@pytest.fixture
def drafted(workspace, load):
    """Loads events; the rules drafted for them, by event."""

    def draft(*some, max_events=10_000):
        load(*some)
        drafts = draft_contracts(workspace, [], max_events=max_events)
        return {each.name: each.document["rules"] for each in drafts}

    return draft


def test_what_is_always_there_is_required(drafted):
    rules = drafted(
        *events(100, planName="pro", seats=lambda n: n, note=lambda n: ... if n == 7 else "x")
    )["Trial Started"]

    assert rules == {
        "required": ["planName", "seats"],
        "properties": {
            "planName": {"type": "string"},
            "seats": {"type": "integer"},
            "note": {"type": "string"},
        },
    }


def test_few_events_prove_nothing(drafted):
    rules = drafted(*events(99, plan="pro"))["Trial Started"]

    assert rules == {"properties": {"plan": {"type": "string"}}}


def test_types_are_those_of_all_values(drafted):
    rules = drafted(
        *events(
            4,
            either=lambda n: "x" if n else 1,
            number=lambda n: 1 if n else 1.5,
            maybe=lambda n: True if n else None,
            never=None,
            at=lambda n: f"2025-03-0{n + 1}T10:00:00Z",
            day="2025-03-04",
            tags=lambda n: ["a", 1] if n else [],
            nothing=[],
            address=lambda n: {"city": "X", "geo": {"lat": 1.5}} if n else {},
        )
    )["Trial Started"]

    assert rules["properties"] == {
        "either": {"type": ["string", "integer"]},
        "number": {"type": "number"},
        "maybe": {"type": ["boolean", "null"]},
        "never": {},
        "at": {"type": "string", "format": "date-time"},
        "day": {"type": "string"},
        "tags": {"type": "array", "items": {"type": ["string", "integer"]}},
        "nothing": {"type": "array"},
        "address": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "geo": {"type": "object", "properties": {"lat": {"type": "number"}}},
            },
        },
    }


def test_one_of_a_few_texts_that_come_often_is_an_enum(drafted):
    rules = drafted(
        *events(
            500,
            plan=lambda n: ["pro", "team"][n % 2],
            rare=lambda n: "b" if n == 1 else "a",
            many=lambda n: str(n % 20),
            list_id=lambda n: ["a", "b"][n % 2],
        )
    )["Trial Started"]

    assert rules["properties"] == {
        "plan": {"type": "string", "enum": ["pro", "team"]},
        "rare": {"type": "string"},
        "many": {"type": "string"},
        "list_id": {"type": "string"},
    }


def test_an_amount_is_a_number_and_not_negative_if_it_never_was(drafted):
    rules = drafted(*events(3, orderTotal=lambda n: n, tax=lambda n: n - 1, rank=lambda n: n))

    assert rules["Trial Started"]["properties"] == {
        "orderTotal": {"type": "number", "minimum": 0},
        "tax": {"type": "number"},
        "rank": {"type": "integer"},
    }


def test_items_of_arrays_are_described(drafted):
    def items(number):
        return [{"sku": "a", "price": 1}] * 2 if number else [{"sku": "b"}]

    rules = drafted(*events(60, products=items))["Trial Started"]

    assert rules["properties"]["products"]["items"] == {
        "type": "object",
        "required": ["sku"],
        "properties": {
            "sku": {"type": "string"},
            "price": {"type": "number", "minimum": 0},
        },
    }


def test_an_object_whose_keys_are_data_is_not_described(drafted):
    rules = drafted(*events(3, scores=lambda n: {f"{n}-{k}": k for k in range(100)}))

    assert rules["Trial Started"]["properties"] == {"scores": {"type": "object"}}


def test_the_name_is_the_most_frequent_spelling(drafted):
    some = [*events(3, "Trial Started"), *events(2, "trial started"), *events(1, "Cart Viewed")]

    assert set(drafted(*some)) == {"Trial Started", "Cart Viewed"}


def test_events_with_a_contract_are_drafted_only_when_named(workspace, drafted, load):
    order = {"order_id": "1", "total": 1, "currency": "RUB"}

    assert drafted(*events(1, "Order Completed", **order)) == {}
    [draft] = draft_contracts(workspace, ["order completed"], max_events=1_000)
    assert draft.name == "Order Completed"


def test_an_event_that_was_never_loaded_names_the_nearest(workspace, drafted):
    drafted(*events(1))

    with pytest.raises(ConfigError) as raised:
        draft_contracts(workspace, ["Trail Started"], max_events=1_000)

    assert "did you mean trial_started?" in raised.value.fix


def test_a_sample_is_spread_over_all_that_was_loaded(drafted):
    rules = drafted(*events(1_000, number=lambda n: n, late=lambda n: n if n > 950 else ...))
    few = drafted(max_events=10)

    assert set(rules["Trial Started"]["properties"]) == {"number", "late"}
    assert few["Trial Started"]["properties"] == {"number": {"type": "integer"}}


MIXED = events(
    600,
    planName=lambda n: ["pro", "team", None][n % 3],
    total=lambda n: "14.5" if n == 9 else n,
    at=lambda n: "soon" if n == 3 else "2025-03-04T10:00:00Z",
    flag=lambda n: ... if n % 2 else n % 4 == 0,
    items=lambda n: [{"id": n}, {"id": str(n)}] if n else [],
    address=lambda n: {"city": "X"} if n else None,
    big=lambda n: 2**70 if n == 5 else n,
)


@pytest.mark.parametrize("has_archive", [True, False])
def test_a_draft_lets_in_everything_that_it_was_drafted_from(
    workspace, load, write_ndjson, has_archive
):
    load(*MIXED)
    if not has_archive:
        shutil.rmtree(workspace.archive)
    [draft] = draft_contracts(workspace, [], max_events=1_000)
    write_contracts(workspace.schemas, {draft.name: draft.document})

    contracts = read_contracts(workspace.schemas)
    tried = try_events([write_ndjson(MIXED)], contracts, Config(), Path(), source=None)

    assert lint_contracts(workspace.schemas).findings == []
    assert [found.rules for found in tried.by_event.values()] == [{}]


def test_without_an_archive_names_are_those_of_columns(workspace, load):
    load(*events(100, planName="pro", seats=2, tags=["a"], at="2025-03-04T10:00:00Z"))
    shutil.rmtree(workspace.archive)

    [draft] = draft_contracts(workspace, [], max_events=1_000)

    assert draft.document == {
        "name": "Trial Started",
        "description": "Drafted from 100 events by the names of columns; say here when it is sent",
        "rules": {
            "required": ["plan_name", "seats", "tags", "at"],
            "properties": {
                "plan_name": {"type": "string"},
                "seats": {"type": "integer"},
                "tags": {"type": "array", "items": {"type": "string"}},
                "at": {"type": "string", "format": "date-time"},
            },
        },
    }
