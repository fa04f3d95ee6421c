"""The public JSON-Schema-Test-Suite's draft-07 cases, and what a contract makes of each.

`jsonschema` is the judge of meaning: each case must come out as by it, and the mandatory ones as
the suite says.
"""

import json
from pathlib import Path

import pytest
import referencing
from jsonschema import Draft7Validator
from jsonschema.exceptions import SchemaError

from loader.contracts import Contract
from loader.contracts.agreement import is_read_alike
from loader.contracts.checker import Checker
from loader.errors import ConfigError

SUITE = json.loads(
    (Path(__file__).parents[1] / "fixtures/json_schema_test_suite/draft7.json").read_text()
)
ELSEWHERE = "http://localhost:1234/"  # where the suite has a server


def leads_out_of_its_file(name, group):
    return name in ("refRemote", "optional/cross-draft") and ELSEWHERE in json.dumps(
        group["schema"]
    )


def groups(*, remote):
    return [
        pytest.param(name, group, id=f"{name}: {group['description']}")
        for name, found in SUITE.items()
        for group in found
        if leads_out_of_its_file(name, group) == remote
    ]


def is_schema_to_python(schema):
    """Not so where it holds a regular expression that only ECMAScript knows."""
    try:
        Draft7Validator.check_schema(schema)
    except SchemaError:
        return False
    return True


def contract(schema):
    return Contract(Path("checked.json"), "Checked", "track", "checked", schema)


@pytest.mark.parametrize(("name", "group"), groups(remote=False))
def test_every_case_comes_out_as_the_judge_has_it(name, group):
    schema = group["schema"]
    if not is_schema_to_python(schema):
        assert name == "optional/ecmascript-regex"
        return
    checker = Checker(contract(schema))
    judge = Draft7Validator(
        schema, format_checker=Draft7Validator.FORMAT_CHECKER, registry=referencing.Registry()
    )

    for case in group["tests"]:
        is_valid = checker.is_valid(case["data"])

        assert is_valid == judge.is_valid(case["data"]), case["description"]
        if not name.startswith("optional/"):
            assert is_valid == case["valid"], case["description"]


@pytest.mark.parametrize(("name", "group"), groups(remote=True))
def test_a_schema_that_lies_elsewhere_is_refused(name, group):
    with pytest.raises(ConfigError, match="must stay inside it"):
        Checker(contract(group["schema"]))


def test_most_schemas_need_the_judge_only_for_what_is_wrong():
    schemas = [group["schema"] for name, found in SUITE.items() for group in found]

    assert sum(map(is_read_alike, schemas)) > 0.8 * len(schemas)
