import pytest

from loader.authoring import lint_contracts
from loader.contracts import Contracts, read_contracts
from tests.conftest import ROOT

WHOLE = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}


@pytest.fixture
def found(folder, write):
    """Lints one contract; its findings as (severity, rule, path, message, fix)."""

    def lint(document, name="track/checked.json"):
        write(document, name)
        findings = lint_contracts(folder).findings
        return [(f.severity, f.rule, f.path, f.message, f.fix) for f in findings]

    return lint


def short(**rules):
    return {"name": "Checked", "rules": rules}


def of(rules):
    return short(properties={"it": rules})


def test_the_repositorys_contracts_are_clean():
    linted = lint_contracts(ROOT / "schemas")

    assert linted.findings == []
    assert len(linted.contracts) == len(read_contracts(ROOT / "schemas"))


def test_what_is_not_wrong_is_not_told(found):
    rules = {
        "required": ["order_id"],
        "properties": {
            "order_id": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]+$"},
            "total": {"type": "number", "minimum": 0, "exclusiveMaximum": 10},
            "state": {"type": ["string", "null"], "enum": ["a", None], "default": None},
            "at": {"type": "string", "format": "date-time"},
            "x": {"oneOf": [{"type": "string"}, {"items": {"required": ["a"]}}], "x-owner": "me"},
        },
    }

    assert found({"name": "Checked", "owner": "team a", "version": 1, "rules": rules}) == []


@pytest.mark.parametrize(
    ("rules", "rule", "message", "fix"),
    [
        ({"patern": "a"}, "unknown_keyword", "'patern'", "did you mean 'pattern'?"),
        ({"type": "string", "nullable": True}, "unknown_keyword", "'nullable'", '"null"'),
        ({"$defs": {}}, "unknown_keyword", "'$defs'", "`definitions`"),
        ({"minimum": 2, "maximum": 1}, "impossible", "`minimum` 2 and `maximum` 1", "raise"),
        ({"minimum": 1, "exclusiveMaximum": 1}, "impossible", "nothing is both", "raise"),
        ({"minLength": 3, "maxLength": 2}, "impossible", "`minLength` 3", "raise"),
        ({"type": "string", "enum": ["a", 1]}, "impossible", "names 1, refused", "mend"),
        ({"type": "number", "const": "a"}, "impossible", '`const` names "a"', "mend"),
        ({"enum": []}, "impossible", "`enum` is empty", "name the values"),
        ({"required": ["a"], "additionalProperties": False}, "impossible", "no event", "describe"),
        ({"required": ["a"], "properties": {"a": False}}, "impossible", "never allowed", "decide"),
        ({"required": ["a", "b"], "maxProperties": 1}, "impossible", "2 names", "raise"),
        ({"type": "strin"}, "not_a_schema", "'strin' is not valid", "mend"),
        ({"pattern": "("}, "not_a_schema", "'(' is not a 'regex'", "mend"),
        ({"$ref": "#/definitions/none"}, "unusable", "/definitions/none", "mend"),
        ({"$ref": "https://example.com/a.json"}, "unusable", "example.com", "stay inside"),
        ({"format": "datetime"}, "unchecked_format", "'datetime'", "did you mean 'date-time'?"),
    ],
)
def test_what_makes_a_contract_wrong_is_an_error(found, rules, rule, message, fix):
    [(severity, told, path, said, advice)] = found(of(rules))

    assert (severity, told) == ("error", rule)
    assert message in said
    assert fix in advice
    assert path.startswith("$.rules.properties.it") or rule == "unusable"


@pytest.mark.parametrize(
    ("rules", "rule", "message"),
    [
        ({"values": ["a"]}, "unknown_keyword", "'values'"),
        ({"required": ["a"], "properties": {"b": {}}}, "unknown_required", "'a' is required"),
        ({"type": "string", "minimum": 1}, "idle_keyword", "`minimum` says nothing"),
        ({"type": "number", "format": "date"}, "idle_keyword", "`format` says nothing"),
        ({"then": {}}, "idle_keyword", "without `if`"),
        ({"items": True, "additionalItems": False}, "idle_keyword", "`additionalItems`"),
        ({"type": "string", "default": 1}, "impossible", "`default` names 1"),
        ({"pattern": r"^\d+$"}, "pattern_dialect", "[0-9]"),
        ({"format": "uri"}, "unchecked_format", "'uri' is not checked"),
    ],
)
def test_what_will_surprise_somebody_is_a_warning(found, rules, rule, message):
    [(severity, told, path, said, _)] = found(of(rules))

    assert (severity, told, path) == ("warning", rule, "$.rules.properties.it")
    assert message in said


def test_a_required_name_that_is_a_slip_names_the_property(found):
    document = short(required=["totl"], properties={"total": {"type": "number"}})

    [(_, rule, path, _, fix)] = found(document)

    assert (rule, path, fix) == ("unknown_required", "$.rules", "did you mean 'total'?")


def test_words_beside_a_ref_are_told(found):
    rules = {
        **WHOLE,
        "definitions": {"id": {"type": "string"}},
        "properties": {"userId": {"$ref": "#/definitions/id", "minLength": 1}},
    }

    [(severity, rule, path, said, _)] = found({"name": "Checked", "rules": rules})

    assert (severity, rule, path) == ("warning", "idle_keyword", "$.rules.properties.userId")
    assert "`minLength`" in said


def test_a_slip_of_rules_is_told(found):
    [finding] = found({"name": "Checked", "rulse": {"required": ["a"]}})

    assert finding[:3] == ("error", "unknown_keyword", "$.rulse")
    assert finding[4] == "did you mean 'rules'?"


def test_every_wrong_place_of_a_file_is_told_at_once(found):
    properties = {"a": {"type": "strin"}, "b": {"minimum": "0"}, "c": {"patern": "x"}}

    told = found(short(properties=properties))

    assert {path for _, _, path, _, _ in told} == {
        "$.rules.properties.a.type",
        "$.rules.properties.b.minimum",
        "$.rules.properties.c",
    }


def test_a_name_that_stands_twice_in_one_object_is_told(found):
    text = '{"name": "Checked", "rules": {"properties": {"total": {}, "total": {}}}}'

    [(severity, rule, _, said, _)] = found(text)

    assert (severity, rule) == ("error", "named_twice")
    assert "'total'" in said


def test_a_property_required_of_the_event_itself_is_told(found):
    [finding] = found({**WHOLE, "title": "Checked", "required": ["order_id", "userId"]})

    assert finding[:2] == ("warning", "not_in_an_event")
    assert "'order_id'" in finding[3]


def test_one_broken_file_hides_no_other(folder, write):
    write("{", "track/a.json")
    write(of({"patern": ""}), "track/b.json")
    write({"name": "C", "rules": {}}, "track/c.json")

    linted = lint_contracts(folder)

    assert [(f.file, f.rule) for f in linted.findings] == [
        ("track/a.json", "unreadable"),
        ("track/b.json", "unknown_keyword"),
    ]
    assert [contract.name for contract in linted.contracts] == ["Checked", "C"]


def test_two_contracts_for_one_table_are_told(folder, write):
    write({"name": "Order Paid", "rules": {}}, "track/a.json")
    write({"name": "Order-Paid", "rules": {}}, "track/b.json")

    [finding] = [f for f in lint_contracts(folder).findings if f.rule == "same_table"]

    assert (finding.severity, finding.file) == ("error", "track/b.json")
    assert "'Order Paid' of track/a.json" in finding.message


def test_versions_of_a_contract_are_told_apart(folder, write):
    write({"name": "Order Paid", "rules": {}}, "track/order_paid.json")
    write({"name": "Order Paid", "version": 2, "rules": {}}, "track/order_paid.v2.json")
    write({"version": 2, "rules": {}}, "identify.v2.json")

    linted = lint_contracts(folder)

    assert linted.findings == []
    assert [(c.table, c.version) for c in linted.contracts] == [
        ("identifies", 2),
        ("order_paid", 1),
        ("order_paid", 2),
    ]


def test_a_rule_as_segments_api_gives_it_is_read(found):
    schema = {**WHOLE, "properties": {"properties": {"patern": "a"}}}

    [finding] = found({"key": "Checked", "type": "TRACK", "version": 1, "jsonSchema": schema})

    assert finding[:3] == ("error", "unknown_keyword", "$.jsonSchema.properties.properties")


def test_a_file_that_nobody_reads_is_told(folder, write):
    write({}, "identifies.json")
    write({}, "order_completed.json")
    write({}, "track/shop/order_completed.json")
    write({}, ".editor/settings.json")

    findings = lint_contracts(folder).findings

    assert [(f.file, f.rule, f.severity) for f in findings] == [
        ("identifies.json", "unread_file", "warning"),
        ("order_completed.json", "unread_file", "warning"),
        ("track/shop/order_completed.json", "unread_file", "warning"),
    ]
    assert findings[0].fix == "did you mean 'identify.json'?"
    assert "track/order_completed.json" in findings[1].fix


@pytest.mark.parametrize("name", ["a_b", "x" * 300, "$.", "", "définition", 'a"b'])
def test_names_of_properties_are_no_keywords(found, name):
    assert found(short(properties={name: {"type": "string"}})) == []


@pytest.mark.parametrize(
    "document",
    [
        *("[]", "3", '{"rules": 3}', '{"rules": {"properties": 3}}', "[" * 100_000, '"\\'),
        '{"rules": ' + '{"items": ' * 400 + "{}" + "}" * 401,
    ],
)
def test_whatever_a_file_holds_is_told_and_never_raised(folder, write, document):
    write(document)

    linted = lint_contracts(folder)

    assert linted.errors
    assert linted.contracts == []
    Contracts(linted.contracts)
