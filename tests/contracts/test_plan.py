import json

import pytest

from loader.contracts import Contracts, columns_named, read_contracts
from loader.errors import ConfigError
from loader.event.values import ColumnType

DRAFT_7 = "http://json-schema.org/draft-07/schema#"


@pytest.fixture
def write(workspace):
    """Writes one contract; text that is no object is written as it is."""

    def write_contract(found, name="track/checked.json"):
        path = workspace.schemas / name
        path.write_text(found if isinstance(found, str) else json.dumps(found))
        return path

    return write_contract


@pytest.fixture
def complaint(workspace):
    def complain():
        with pytest.raises(ConfigError) as raised:
            Contracts(read_contracts(workspace.schemas))
        return str(raised.value)

    return complain


def test_the_repositorys_contracts_are_read(workspace):
    contracts = {contract.table: contract for contract in read_contracts(workspace.schemas)}

    assert {"order_completed", "subscription_started", "identifies", "groups", "pages", ""} == set(
        contracts
    )
    assert contracts["order_completed"].name == "Order Completed"


def test_a_workspace_without_contracts_has_none(tmp_path):
    assert read_contracts(tmp_path / "schemas") == []


def test_columns_that_a_contract_names_have_its_types(workspace, write):
    write(
        {
            "name": "Checked",
            "rules": {
                "properties": {
                    "text": {"type": "string"},
                    "maybeText": {"type": ["string", "null"]},
                    "count": {"type": "integer"},
                    "price": {"type": "number"},
                    "ok": {"type": "boolean"},
                    "at": {"type": "string", "format": "date-time"},
                    "items": {"type": "array"},
                    "either": {"type": ["string", "number"]},
                    "untyped": {},
                    "true": True,
                    "address": {"type": "object", "properties": {"city": {"type": "string"}}},
                }
            },
        }
    )

    checked = next(c for c in read_contracts(workspace.schemas) if c.table == "checked")

    assert dict(columns_named(checked)) == {
        "text": ColumnType.TEXT,
        "maybe_text": ColumnType.TEXT,
        "count": ColumnType.INT,
        "price": ColumnType.FLOAT,
        "ok": ColumnType.BOOL,
        "at": ColumnType.TIMESTAMP,
        "items": ColumnType.TEXT,
        "address_city": ColumnType.TEXT,
    }


def test_a_whole_event_schema_names_columns_of_context_too(workspace, write):
    write(
        {
            "title": "Checked",
            "$schema": DRAFT_7,
            "properties": {
                "properties": {"properties": {"a": {"type": "integer"}}},
                "context": {"properties": {"app": {"properties": {"build": {"type": "integer"}}}}},
            },
        }
    )

    checked = next(c for c in read_contracts(workspace.schemas) if c.table == "checked")

    assert dict(columns_named(checked)) == {
        "a": ColumnType.INT,
        "context_app_build": ColumnType.INT,
    }


@pytest.mark.parametrize(
    ("found", "place"),
    [
        ("{nope", "line 1 column 2"),
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ([], "wanted an object"),
        ({"rules": 5}, "rules: found 5"),
        ({"rules": {"properties": {"a": {"type": "txt"}}}}, "properties.a.type"),
        ({"rules": {"properties": {"a": {"minimum": "0"}}}}, "properties.a.minimum"),
        ({"rules": {"properties": {"a": {"pattern": "("}}}}, "properties.a.pattern"),
        ({"rules": {"required": "a"}}, "required"),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, "wanted draft-07"),
        ({"rules": {"properties": {"a": {"$ref": "#/definitions/b"}}}}, "/definitions/b"),
    ],
)
def test_a_broken_contract_is_refused_with_its_file_and_the_place(write, complaint, found, place):
    path = write(found)

    message = complaint()

    assert message.startswith(f"{path}: ")
    assert place in message
    assert "\n  Fix: " in message
    assert message.count("\n") == 1


@pytest.mark.parametrize(
    "reference",
    ["https://example.com/x.json", "file:///etc/passwd", "http://127.0.0.1:9/x", "other.json#/a"],
)
def test_a_reference_out_of_the_file_is_refused_without_a_look(
    write, complaint, monkeypatch, reference
):
    write({"rules": {"properties": {"a": {"$ref": reference}}}})
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("went to the network"))

    message = complaint()

    assert reference.partition("#")[0] in message
    assert "must stay inside it" in message


def test_a_reference_inside_of_the_file_is_followed(workspace, write):
    write(
        {
            "$schema": DRAFT_7,
            "$id": "https://example.com/checked.json",
            "definitions": {"short": {"type": "string", "maxLength": 3}},
            "properties": {"properties": {"properties": {"a": {"$ref": "#/definitions/short"}}}},
        }
    )
    contracts = Contracts(read_contracts(workspace.schemas))
    event = {"type": "track", "event": "checked", "properties": {"a": "abcd"}}

    assert [found.rule for found in contracts.violations(event)] == ["maxLength"]


def test_two_contracts_for_one_table_are_refused(write, complaint):
    write({"name": "order completed", "rules": {}})

    message = complaint()

    assert "'Order Completed' means version 1 of the table order_completed" in message
    assert "as 'order completed' of checked.json does" in message
    assert '"version": 2' in message


def test_an_event_called_common_has_a_contract_of_its_own(workspace, write):
    write({"name": "Common", "rules": {"required": ["z"]}})

    contracts = Contracts(read_contracts(workspace.schemas))

    assert contracts.violations({"type": "track", "event": "Other", "properties": {}}) == []
    (found,) = contracts.violations({"type": "track", "event": "Common", "properties": {}})
    assert found.path == "$.properties.z"


def versions(write):
    for version, kind in ((3, "integer"), (1, "string"), (2, "boolean")):
        rules = {"properties": {"a": {"type": kind}}}
        write({"name": "Checked", "version": version, "rules": rules}, f"track/c.v{version}.json")


@pytest.mark.parametrize(
    ("protocols", "held_to"),
    [
        ({"event_version": 1}, "a string"),
        ({"event_version": 2}, "true or false"),
        ({"event_version": 2.0}, "true or false"),
        ({"event_version": 3}, "a whole number"),
        ({"event_version": 4}, "a string"),
        ({"event_version": True}, "a string"),
        ({"event_version": "3"}, "a string"),
        ({"event_version": [3]}, "a string"),
        ({"event_version": 10**30}, "a string"),
        ({}, "a string"),
        ("3", "a string"),
        (None, "a string"),
    ],
)
def test_an_event_is_held_to_the_version_that_it_names_or_else_the_oldest(
    workspace, write, protocols, held_to
):
    versions(write)
    contracts = Contracts(read_contracts(workspace.schemas))
    body = {"type": "track", "event": "checked", "properties": {"a": None}}

    (found,) = contracts.violations({**body, "context": {"protocols": protocols}})

    assert found.message == f"null is null; the contract wants {held_to}"


def test_the_versions_of_a_table_are_told_oldest_first(workspace, write):
    versions(write)
    contracts = Contracts(read_contracts(workspace.schemas))

    assert [contract.version for contract in contracts.versions_of("checked")] == [1, 2, 3]
    assert [contract.version for contract in contracts.versions_of("identifies")] == [1]
    assert contracts.versions_of("nothing") == []
    assert contracts.common.name == "common"


def test_a_call_may_have_versions_too(workspace, write):
    rules = {"required": ["email"]}
    write({"version": 2, "rules": rules}, "identify.v2.json")
    contracts = Contracts(read_contracts(workspace.schemas))
    event = {"type": "identify", "traits": {}}

    assert contracts.violations(event) == []
    assert contracts.violations({**event, "context": {"protocols": {"event_version": 2}}})


def test_without_a_name_a_versions_event_is_told_by_its_file(workspace, write):
    write({"version": 2, "rules": {}}, "track/order_completed.v2.json")
    found = [c for c in read_contracts(workspace.schemas) if c.table == "order_completed"]

    assert [(contract.name, contract.version) for contract in found] == [
        ("Order Completed", 1),
        ("order_completed", 2),
    ]


@pytest.mark.parametrize("version", ["2", 1.5, -1, True, None])
def test_a_version_is_a_whole_number(write, complaint, version):
    write({"version": version, "rules": {}})

    assert f"version: found {version!r}, wanted a whole number" in complaint()


def test_a_rule_of_segments_public_api_is_a_contract(workspace, write):
    write(
        {
            "type": "TRACK",
            "key": "Trial Ended",
            "version": 1,
            "jsonSchema": {
                "type": "object",
                "properties": {
                    "properties": {"properties": {"days": {"type": "integer"}}},
                    "context": {},
                    "traits": {},
                },
            },
            "createdAt": "2026-01-01T00:00:00Z",
        }
    )
    contracts = Contracts(read_contracts(workspace.schemas))

    (found,) = contracts.violations(
        {"type": "track", "event": "trial ended", "properties": {"days": "3"}}
    )

    assert found.path == "$.properties.days"


def test_a_rule_of_another_call_is_refused(write, complaint):
    write({"type": "IDENTIFY", "jsonSchema": {}})

    assert "type: found 'IDENTIFY', wanted 'TRACK'" in complaint()
