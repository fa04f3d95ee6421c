"""`jsonschema` is the judge of meaning: of any contract and any event we say what it says."""

from pathlib import Path

import pytest
import referencing
from hypothesis import HealthCheck, assume, event, given, settings
from jsonschema import Draft7Validator
from jsonschema.exceptions import SchemaError

from loader.contracts import Contract
from loader.contracts.agreement import is_read_alike
from loader.contracts.checker import Checker
from loader.errors import ConfigError
from tests.contracts.schemas import SCHEMAS, VALUES


def checker_of(schema):
    return Checker(Contract(Path("checked.json"), "Checked", "track", "checked", schema))


def judge_of(schema):
    return Draft7Validator(
        schema, format_checker=Draft7Validator.FORMAT_CHECKER, registry=referencing.Registry()
    )


@settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(SCHEMAS, VALUES)
@pytest.mark.filterwarnings("ignore::FutureWarning")  # of a text that may be a regular expression
def test_any_value_comes_out_as_the_judge_has_it(schema, value):
    try:
        Draft7Validator.check_schema(schema)
        checker = checker_of(schema)
    except (SchemaError, ConfigError):
        assume(False)
    event(f"read alike: {is_read_alike(schema)}")

    is_valid = checker.is_valid(value)

    try:
        wanted = judge_of(schema).is_valid(value)
    except Exception as problem:  # noqa: BLE001 - ours told that as a violation, and did not raise
        event(f"the judge raised {type(problem).__name__}")
    else:
        event(f"valid: {wanted}")
        assert is_valid == wanted


# What the fast validator would have said of itself differs from the judge, or differed once.
@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": r"^\d+$"}, "٣"),
        ({"pattern": "^a$"}, "a\n"),
        ({"not": {"pattern": "^a$"}}, "a\n"),
        ({"pattern": r"^\w$"}, "é"),
        ({"pattern": r"^\s$"}, "\ufeff"),
        ({"pattern": r"a\Z"}, "a"),
        ({"patternProperties": {"^a$": False}}, {"a\n": 1}),
        ({"propertyNames": {"pattern": "^a$"}}, {"a\n": 1}),
        ({"format": "uri"}, "not a uri"),
        ({"not": {"format": "json-pointer"}}, "a"),
        ({"format": "date"}, "2024-02-30"),
        ({"format": "time"}, "10:00:00"),
        ({"format": "date-time"}, "2024-02-29T23:59:60Z"),
        ({"format": "email"}, "@"),
        ({"format": "ipv6"}, "::1%eth0"),
        ({"format": "idn-email"}, "a@b"),
        ({"format": "regex"}, "(?P<x>a)"),
        ({"format": "regex"}, "("),
        ({"contentEncoding": "base64"}, "!"),
        ({"contentMediaType": "application/json"}, "{"),
        ({"contentEncoding": "base64", "contentMediaType": "application/json"}, "{"),
        ({"multipleOf": 0.01}, 19.99),
        ({"multipleOf": 0.1}, 0.3),
        ({"multipleOf": 3}, 3 * 10**200),
        ({"multipleOf": 1e-300}, 1e300),
        ({"type": "integer"}, 1.0),
        ({"type": "integer"}, 1e300),
        ({"const": 1}, True),
        ({"const": [1]}, [1.0]),
        ({"enum": [2**53 + 1]}, 2.0**53),
        ({"uniqueItems": True}, [1, True]),
        ({"uniqueItems": True}, [1, 1.0]),
        ({"minimum": 2**53 + 1}, 2.0**53),
        ({"minimum": 1e30}, 10**30),
        ({"not": {"maximum": 10**30}}, 1e30),
        ({"not": {"uniqueItems": True}}, [1e30, 10**30]),
        ({"maximum": 2**64}, 2**64 + 1),
        ({"maximum": 10**400}, 10**400 + 1),
        ({"maxLength": 1}, "😀"),
        ({"maxLength": 1}, "e\u0301"),
        ({"maxLength": 1}, "\ud800"),
        ({"maxLength": 1.0}, "ab"),
        ({"$ref": "#/definitions/a", "type": "string", "definitions": {"a": True}}, 1),
        ({"$ref": "#/definitions/%61", "definitions": {"a": False}}, 1),
        ({"items": False, "additionalItems": False}, [1]),
        ({"then": False}, 1),
        ({"properties": {"$ref": {"type": "string"}}}, {"$ref": 1}),
    ],
)
def test_known_differences_between_the_validators_are_none_of_ours(schema, value):
    try:
        wanted = judge_of(schema).is_valid(value)
    except TypeError:
        wanted = "items" in schema and schema["items"] is not False  # a fault of the judge

    assert checker_of(schema).is_valid(value) == wanted


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"multipleOf": 0.5}, 10**400),
        ({"not": {"multipleOf": 0.5}}, 10**400 + 1),
        ({"format": "regex"}, "a{99999999999}"),
    ],
    ids=["multiple", "no multiple", "regex"],
)
def test_a_value_that_the_judge_stumbles_over_is_a_violation(schema, value):
    with pytest.raises(OverflowError):
        judge_of(schema).is_valid(value)

    is_negated = "not" in schema
    assert checker_of(schema).is_valid(value) == is_negated


def nested(depth):
    value = 1
    for _ in range(depth):
        value = {"a": [value]}
    return value


def test_an_event_may_be_nested_as_deep_as_one_is_read():
    either = {"anyOf": [{"$ref": "#"}, {"type": "integer"}]}
    checker = checker_of({"type": "object", "properties": {"a": {"items": either}}})
    broken = nested(100)
    innermost = broken
    for _ in range(99):
        (innermost,) = innermost["a"]
    innermost["a"] = ["no integer"]

    assert checker.is_valid(nested(100))
    assert not checker.is_valid(broken)
    assert len(list(checker.errors(broken))) == 1


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"not": {"$ref": "#"}},
        {
            "properties": {"a": {"$ref": "#/definitions/a"}},
            "definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}},
        },
    ],
)
def test_a_contract_that_refers_to_itself_without_end_is_refused(schema):
    with pytest.raises(ConfigError, match=r"'#.*' leads back to itself"):
        checker_of(schema)


@pytest.mark.parametrize("word", ["allOf", "anyOf", "oneOf", "not", "if"])
def test_a_loop_that_only_the_judge_can_see_ends_no_load(word):
    again = {"$ref": "http://example.com/b"}
    inner = {"$id": "http://example.com/b", word: again if word in ("not", "if") else [again]}
    checker = checker_of({"$ref": "#/definitions/b", "definitions": {"b": inner}})

    (found,) = checker.errors({})

    assert found.message.startswith("can't be checked against the contract")
