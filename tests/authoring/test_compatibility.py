import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from loader.authoring.compatibility import compare_schemas

TEXT, NUMBER, INT = {"type": "string"}, {"type": "number"}, {"type": "integer"}


def verdicts(old, new, **options):
    return [(c.verdict, c.rule, c.path) for c in compare_schemas(old, new, **options)]


def within(rules):
    return {"properties": {"it": rules}}


NARROWED = [
    (NUMBER, INT, "type"),
    ({}, TEXT, "type"),
    ({"type": ["string", "null"]}, TEXT, "type"),
    ({"enum": ["a", "b"]}, {"enum": ["a"]}, "enum"),
    (TEXT, {"type": "string", "enum": ["a"]}, "enum"),
    ({"type": "boolean"}, {"const": True}, "const"),
    (NUMBER, {"type": "number", "minimum": 0}, "minimum"),
    ({"minimum": 0}, {"minimum": 1}, "minimum"),
    ({"minimum": 0}, {"exclusiveMinimum": 0}, "exclusiveMinimum"),
    ({"maximum": 3}, {"maximum": 2}, "maximum"),
    (INT, {"type": "integer", "multipleOf": 2}, "multipleOf"),
    ({"multipleOf": 2}, {"multipleOf": 4}, "multipleOf"),
    (TEXT, {"type": "string", "minLength": 1}, "minLength"),
    ({"maxLength": 3}, {"maxLength": 2}, "maxLength"),
    (TEXT, {"type": "string", "pattern": "a"}, "pattern"),
    (TEXT, {"type": "string", "format": "date-time"}, "format"),
    ({"minItems": 1}, {"minItems": 2}, "minItems"),
    ({}, {"uniqueItems": True}, "uniqueItems"),
    ({"maxProperties": 3}, {"maxProperties": 2}, "maxProperties"),
]
OTHER = [
    (NUMBER, TEXT, "type"),
    ({"const": 1}, {"const": 2}, "const"),
    ({"enum": ["a", 1]}, TEXT, "type"),
    ({"pattern": "a"}, {"pattern": "b"}, "pattern"),
]


@pytest.mark.parametrize(("old", "new", "rule"), [*NARROWED, *OTHER])
def test_what_lets_in_less_or_else_is_breaking(old, new, rule):
    assert ("breaking", rule, "$.it") in verdicts(within(old), within(new))


@pytest.mark.parametrize(("new", "old", "rule"), NARROWED)
def test_what_lets_in_more_is_compatible(old, new, rule):
    found = verdicts(within(old), within(new))

    assert {verdict for verdict, _, _ in found} == {"compatible"}


def test_a_property_required_now_is_breaking():
    old, new = within(TEXT), {**within(TEXT), "required": ["it"]}

    assert verdicts(old, new) == [("breaking", "required", "$.it")]
    assert verdicts(new, old) == [("compatible", "required", "$.it")]


def test_closing_an_object_is_breaking():
    old, new = within(TEXT), {**within(TEXT), "additionalProperties": False}

    assert verdicts(old, new) == [("breaking", "additionalProperties", "$")]
    assert verdicts(new, old) == [("compatible", "additionalProperties", "$")]


def test_a_property_taken_out_of_a_closed_object_is_breaking():
    closed = {"additionalProperties": False}

    assert verdicts({**within(TEXT), **closed}, closed) == [("breaking", "false", "$.it")]


def test_a_property_of_which_nothing_was_said_is_compatible_unless_strict():
    assert verdicts({}, within(TEXT)) == [("compatible", "properties", "$.it")]
    assert verdicts({}, within(TEXT), is_strict=True) == [("breaking", "properties", "$.it")]
    assert verdicts({"additionalProperties": NUMBER}, within(TEXT)) == [
        ("breaking", "type", "$.it"),
        ("compatible", "true", "$.*"),
    ]


def test_items_are_compared_too():
    old = {"items": {"properties": {"price": NUMBER}}}
    new = {"items": {"properties": {"price": INT}, "required": ["price"]}}

    assert verdicts(old, new) == [
        ("breaking", "required", "$[*].price"),
        ("breaking", "type", "$[*].price"),
    ]


def test_items_by_their_place_are_not_compared():
    assert verdicts({"items": [TEXT]}, {"items": [NUMBER]}) == [("unsure", "items", "$")]


def test_an_integer_above_0_is_one_of_1_and_more():
    old = {"type": "integer", "exclusiveMinimum": 0}

    assert verdicts(old, {"type": "integer", "minimum": 1}) == []


@pytest.mark.parametrize("word", ["anyOf", "allOf", "oneOf"])
def test_where_nobody_can_say_the_answer_is_unsure(word):
    old, new = {word: [TEXT, {"minimum": 1}]}, {word: [TEXT, {"minimum": 2}]}

    assert verdicts(old, new) == [("unsure", word, "$")]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"anyOf": [TEXT]}, {"anyOf": [NUMBER, TEXT]}),
        ({"allOf": [TEXT, {"minLength": 1}]}, {"allOf": [TEXT]}),
        ({"not": TEXT}, {}),
        ({"if": TEXT, "then": {"minLength": 1}}, {}),
    ],
)
def test_fewer_conditions_are_compatible(old, new):
    assert {verdict for verdict, _, _ in verdicts(old, new)} == {"compatible"}


@pytest.mark.parametrize("word", ["description", "title", "examples", "default", "$comment"])
def test_what_restricts_nothing_is_no_change(word):
    old = {"properties": {word: TEXT}, "anyOf": [{"type": "object"}]}
    new = {"properties": {word: {**TEXT, word: "x"}}, "anyOf": [{"type": "object", word: "y"}]}

    assert verdicts(old, new) == []


def test_what_a_ref_leads_to_is_compared():
    def schema(rules):
        return {"definitions": {"id": rules}, **within({"$ref": "#/definitions/id"})}

    assert verdicts(schema(NUMBER), schema(INT)) == [("breaking", "type", "$.it")]
    assert verdicts(schema(NUMBER), within(NUMBER)) == []
    assert verdicts(within({"$ref": "#/nowhere"}), within(NUMBER)) == [("unsure", "$ref", "$.it")]


def test_what_a_ref_within_a_condition_leads_to_makes_it_unsure():
    def schema(rules):
        return {"definitions": {"id": rules}, "anyOf": [{"$ref": "#/definitions/id"}]}

    assert verdicts(schema(NUMBER), schema(NUMBER)) == []
    assert verdicts(schema(NUMBER), schema(INT)) == [("unsure", "anyOf", "$")]


def test_a_schema_that_holds_itself_is_compared_to_its_end():
    def schema(rules):
        inner = {"properties": {"price": rules, "parts": {"items": {"$ref": "#/definitions/it"}}}}
        return {"definitions": {"it": inner}, "$ref": "#/definitions/it"}

    assert verdicts(schema(NUMBER), schema(NUMBER)) == []
    assert ("breaking", "type", "$.price") in verdicts(schema(NUMBER), schema(TEXT))


VALUES = st.recursive(
    st.sampled_from([None, True, False, -1, 0, 0.5, 1, 2, 3, 10, "", "a", "ab", "b"])
    | st.just("2025-03-04T10:00:00Z"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
    ),
    max_leaves=6,
)
KINDS = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
FEW = st.sampled_from([0, 1, 2, 3])
NAMES = st.lists(st.sampled_from("abc"), max_size=2, unique=True)


def words(inner):
    by_name = st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
    some = st.lists(inner, min_size=1, max_size=2)
    bounds = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]
    sizes = ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"]
    return {
        "type": KINDS | st.lists(KINDS, min_size=1, max_size=3, unique=True),
        "enum": st.lists(VALUES, min_size=1, max_size=3),
        "const": VALUES,
        **dict.fromkeys(bounds, st.sampled_from([-1, 0, 0.5, 1, 2])),
        **dict.fromkeys(sizes, FEW),
        "multipleOf": st.sampled_from([0.5, 1, 2, 3]),
        "pattern": st.sampled_from(["a", "^b"]),
        "format": st.sampled_from(["date-time", "email"]),
        "uniqueItems": st.booleans(),
        "items": inner | some,
        "required": NAMES,
        "properties": by_name,
        "patternProperties": st.dictionaries(st.sampled_from(["a", "b|c"]), inner, max_size=1),
        "additionalProperties": inner,
        "propertyNames": inner,
        "dependencies": st.dictionaries(st.sampled_from("ab"), NAMES, max_size=1),
        "contains": inner,
        "not": inner,
        "if": inner,
        "then": inner,
        **dict.fromkeys(["allOf", "anyOf", "oneOf"], some),
    }


SCHEMAS = st.recursive(
    st.booleans() | st.fixed_dictionaries({}, optional=words(st.just({}))),
    lambda inner: st.fixed_dictionaries({}, optional=words(inner)),
    max_leaves=4,
).map(lambda found: found if isinstance(found, dict) else {"properties": {"a": found}})


@st.composite
def changed(draw):
    """A schema, and one that differs from it in a few words."""
    old, other = draw(SCHEMAS), draw(SCHEMAS)
    new = dict(old)
    for word in draw(st.lists(st.sampled_from(sorted({*old, *other, "type"})), max_size=3)):
        if word in other:
            new[word] = other[word]
        else:
            new.pop(word, None)
    return old, new


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(changed(), st.lists(VALUES, min_size=10, max_size=40))
def test_what_passed_before_passes_unless_the_change_is_called_breaking(pair, values):
    old, new = pair
    before, now = (
        Draft7Validator(schema, format_checker=Draft7Validator.FORMAT_CHECKER) for schema in pair
    )

    found = compare_schemas(old, new, is_strict=True)

    if all(change.verdict == "compatible" for change in found):
        assert [v for v in values if before.is_valid(v) and not now.is_valid(v)] == []
    if not found:
        assert [v for v in values if before.is_valid(v) is not now.is_valid(v)] == []
