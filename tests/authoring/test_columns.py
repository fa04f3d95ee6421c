import json

import pytest

from loader.authoring import disagreements, lint_contracts
from loader.warehouse import read_manifest


@pytest.fixture
def told(workspace):
    """Writes a contract for `Trial Started`; what disagrees with the warehouse."""

    def check(**properties):
        path = workspace.schemas / "track/trial_started.json"
        path.write_text(json.dumps({"name": "Trial Started", "rules": {"properties": properties}}))
        linted = lint_contracts(workspace.schemas)
        assert linted.findings == []
        catalog = read_manifest(workspace).catalog
        return list(disagreements(linted.contracts, catalog, workspace.schemas))

    return check


@pytest.fixture
def trial(load):
    load(
        {
            "type": "track",
            "event": "Trial Started",
            "userId": "u",
            "properties": {"text": "x", "count": 1, "price": 1.5, "at": "2025-03-04T10:00:00Z"},
            "context": {"app": {"build": 7}},
        }
    )


def test_nothing_disagrees_before_the_first_load(told):
    assert told(text={"type": "number"}) == []


def test_a_column_of_another_type_is_told(trial, told):
    [finding] = told(count={"type": "string"})

    assert (finding.severity, finding.rule, finding.file) == (
        "warning",
        "column_type",
        "track/trial_started.json",
    )
    assert "raw.trial_started.count is int, the contract says text" in finding.message
    assert "_rescued" in finding.message
    assert "headwater compact --retype trial_started" in finding.fix


def test_text_takes_all_but_as_text(trial, told):
    [finding] = told(text={"type": "number"})

    assert "stored as their JSON text" in finding.message


@pytest.mark.parametrize(
    "properties",
    [
        {"count": {"type": "integer"}},
        {"count": {"type": "number"}},  # widens
        {"at": {"type": "string", "format": "date-time"}},
        {"price": {"type": ["number", "string"]}},  # no type by contract
        {"new": {"type": "boolean"}},
    ],
)
def test_what_the_column_takes_is_not_told(trial, told, properties):
    assert told(**properties) == []


def test_a_property_that_would_be_a_column_of_ours_is_told(told):
    [finding] = told(received_at={"type": "string"})

    assert finding.rule == "reserved_column"


def test_columns_of_context_are_everybodys(trial, workspace):
    path = workspace.schemas / "track/other.json"
    app = {"properties": {"build": {"type": "string"}}}
    schema = {"title": "Other", "properties": {"context": {"properties": {"app": app}}}}
    path.write_text(json.dumps(schema))

    linted = lint_contracts(workspace.schemas)
    catalog = read_manifest(workspace).catalog
    [finding] = disagreements(linted.contracts, catalog, workspace.schemas)

    assert "raw.other.context_app_build is int, the contract says text" in finding.message
