from collections import Counter

import pytest

from loader.authoring import (
    events_of_category,
    find_semantic_event,
    lint_contracts,
    semantic_events,
    write_contracts,
)
from loader.authoring.keywords import walk
from loader.contracts import Contracts, columns_named, read_contracts
from loader.errors import ConfigError
from loader.event.values import ColumnType


def properties_of(event):
    """How many properties a contract describes, at any depth, in arrays and in context too."""
    schemas = [part for _, part in walk(event.rules, "$")]
    described = sum(len(part.get("properties", {})) for part in schemas)
    is_whole = "$schema" in event.rules
    return described - len({"properties", "context"}) if is_whole else described


def test_the_library_has_every_event_of_the_specs():
    categories = Counter(event.category for event in semantic_events().values())

    assert categories == {
        "ecommerce": 28,
        "video": 17,
        "mobile": 13,
        "b2b_saas": 10,
        "email": 6,
        "live_chat": 4,
        "ab_testing": 1,
    }


def test_the_library_has_every_property_of_the_specs():
    # The specs name 715; `campaign` of four mobile events is no property of theirs by itself.
    assert sum(map(properties_of, semantic_events().values())) == 715 + 4


def test_every_event_is_a_contract_without_a_finding(folder):
    documents = {name: event.document for name, event in semantic_events().items()}

    write_contracts(folder, documents)

    linted = lint_contracts(folder)
    assert linted.findings == []
    assert {contract.name for contract in linted.contracts} == set(documents)


def test_an_event_of_the_library_is_checked_and_has_columns(folder):
    write_contracts(folder, {"Email Opened": find_semantic_event("Email Opened").document})
    [contract] = read_contracts(folder)
    event = {
        "type": "track",
        "event": "Email Opened",
        "properties": {"email_id": 7},
        "context": {"traits": {"email": "a@example.com"}},
    }

    [violation] = Contracts([contract]).violations(event)

    assert violation.path == "$.properties.email_id"
    assert dict(columns_named(contract))["context_traits_email"] is ColumnType.TEXT


@pytest.mark.parametrize("name", ["Order Completed", "order_completed", "Completed Order"])
def test_an_event_is_found_however_it_is_called(name):
    assert find_semantic_event(name).name == "Order Completed"


def test_an_unknown_event_names_the_nearest():
    with pytest.raises(ConfigError) as raised:
        find_semantic_event("Order Complete")

    assert "did you mean 'Order Completed'?" in raised.value.fix


def test_an_unknown_category_names_the_nearest():
    with pytest.raises(ConfigError) as raised:
        events_of_category("e-commerce")

    assert "did you mean 'ecommerce'?" in raised.value.fix
