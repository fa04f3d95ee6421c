import gzip
import json

import pytest

from loader.authoring import try_events
from loader.config import Config, ContractsConfig
from loader.contracts import read_contracts
from loader.errors import ConfigError
from tests.conftest import ROOT

ORDER = {"order_id": "O-1", "total": 1, "currency": "RUB"}


def event(name="Order Completed", **properties):
    properties = {**ORDER, **properties} if name == "Order Completed" else properties
    return {"type": "track", "event": name, "userId": "u", "properties": properties}


@pytest.fixture
def trial(write_ndjson):
    """Tries events, or lines given as bytes, against the repository's contracts."""

    def run(*events, config=None):
        contracts = read_contracts(ROOT / "schemas")
        return try_events([write_ndjson(events)], contracts, config or Config(), ROOT, source=None)

    return run


def test_good_events_are_clean(trial):
    found = trial(event(), {"type": "identify", "userId": "u", "traits": {"email": None}})

    assert (found.lines, found.events, found.blocked) == (2, 2, 0)
    assert [(t.event, t.table, t.has_contract) for t in found.by_event.values()] == [
        ("Order Completed", "order_completed", True),
        ("identify", "identifies", True),
    ]


def test_broken_rules_are_counted_by_event_with_the_first_as_a_sample(trial):
    found = trial(
        event(), b"", event(total="1"), event(total="2", currency="X"), event("order completed")
    )

    [tried] = found.by_event.values()
    assert (found.events, found.blocked, tried.blocked) == (4, 3, 3)
    assert {key: rule.events for key, rule in tried.rules.items()} == {
        ("block", "type", "$.properties.total"): 2,
        ("block", "enum", "$.properties.currency"): 1,
        ("block", "required", "$.properties.order_id"): 1,
        ("block", "required", "$.properties.total"): 1,
        ("block", "required", "$.properties.currency"): 1,
    }
    sample = tried.rules["block", "type", "$.properties.total"]
    assert (sample.line, sample.message.split(" ")[0]) == (3, '"1"')


def test_items_of_an_array_are_one_place(trial):
    found = trial(event(products=[{"product_id": 1, "price": 1}, {"product_id": 2, "price": 1}]))

    [tried] = found.by_event.values()
    assert {key: rule.events for key, rule in tried.rules.items()} == {
        ("block", "type", "$.properties.products[*].product_id"): 1
    }


def test_unplanned_events_are_listed_and_let_in(trial):
    found = trial(event("Trial Started"), event("Trial Started"), event())

    assert found.blocked == 0
    assert [(tried.event, tried.events) for tried in found.unplanned] == [("Trial Started", 2)]


def test_batches_are_opened_and_what_is_no_event_is_told(trial):
    batch = {"batch": [event(), event(total="1"), 3]}

    found = trial(batch, b"not json", {"type": "track", "event": "A"}, {"type": "nope"})

    assert (found.lines, found.events, found.blocked) == (4, 6, 5)
    assert {tried.event: set(tried.rules) for tried in found.by_event.values()} == {
        "Order Completed": {("block", "type", "$.properties.total")},
        None: {("block", "malformed", "$"), ("block", "malformed", "$.type")},
        "A": {("block", "no_identity", "$")},
    }
    assert found.by_event["order_completed"].rules["block", "type", "$.properties.total"].line == 1


def test_a_compressed_file_is_read(tmp_path):
    path = tmp_path / "events.gz"
    path.write_bytes(gzip.compress(json.dumps(event(total="1")).encode()))

    found = try_events([str(path)], read_contracts(ROOT / "schemas"), Config(), ROOT, source=None)

    assert (found.events, found.blocked) == (1, 1)


def test_a_missing_file_is_a_missing_input():
    with pytest.raises(ConfigError, match=r"nowhere.ndjson"):
        try_events(["nowhere.ndjson"], [], Config(), ROOT, source=None)


def test_a_trial_says_what_a_load_does(trial, load, raw, workspace):
    events = [event(), event(total="1"), event("A"), {"type": "track", "event": "B"}, b"{", b"[]"]

    tried, loaded = trial(*events), load(*events)

    assert (tried.events, tried.blocked) == (loaded.events_in, loaded.blocked)
    rules = "select distinct action, rule, path from raw.violations order by all"
    assert raw(workspace, rules) == sorted(
        key for found in tried.by_event.values() for key in found.rules
    )


@pytest.mark.parametrize("action", ["omit", "allow"])
def test_what_the_config_lets_in_is_flawed_and_not_blocked(trial, action):
    config = Config(contracts=ContractsConfig(on_violation=action))

    found = trial(event(), event(total="1"), config=config)

    assert (found.blocked, found.flawed, found.as_json()["clean"]) == (0, 1, 1)
    [tried] = found.by_event.values()
    assert list(tried.rules) == [(action, "type", "$.properties.total")]


def test_unplanned_events_are_blocked_where_the_config_says_so(trial):
    config = Config(contracts=ContractsConfig(unplanned_events="block"))

    found = trial(event(), event("Trial Started"), config=config)

    assert (found.blocked, [tried.event for tried in found.unplanned]) == (1, ["Trial Started"])
    assert list(found.by_event["trial_started"].rules) == [("block", "unplanned_event", "$.event")]
