"""Draft-07 schemas and values made up at random, out of few words so that they meet."""

from hypothesis import strategies as st

NAMES = st.sampled_from(["a", "b", "properties", "$ref", "a\n", "é", "x/y~z"])
TEXTS = st.one_of(
    st.sampled_from(
        [
            *(
                "",
                "a",
                "a\n",
                "ab",
                "5",
                "٣",
                "é",
                "e\u0301",
                "😀",
                "😀😀",
                "\ufeff",
                "\u2028",
                "K",
            ),
            *(
                "2024-02-30",
                "2024-02-29T25:00:00Z",
                "2024-02-29T10:00:00Z",
                "10:00:00Z",
                "a@b",
                "@",
            ),
            *(
                "K",
                "a@b",
                "1.2.3.4",
                "1.2.3",
                "::1",
                "(",
                "a{99999999999}",
                "https://example.com",
                "/a/~2",
            ),
        ]
    ),
    st.text(max_size=4),
)
NUMBERS = st.one_of(
    st.integers(-3, 7),
    st.sampled_from([0.1, 0.3, 1.0, 2.5, -0.0, 1e-7, 1e300, 0.07, 19.99, 1e30, 2.0**53, 5e-324]),
    st.sampled_from([2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**30, 10**400, 3 * 10**200]),
    st.floats(allow_nan=False, allow_infinity=False),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
_COUNT = st.integers(0, 3) | st.sampled_from([1.0, 2.0, 10**30])
_BOUND = st.one_of(st.integers(-2, 5), NUMBERS)
_REGEX = st.sampled_from(
    [
        *("a", "^a$", "^[a-z]+$", r"^\d+$", r"^\w+$", r"\s", "^.$", "^..$", r"\bé\b", "(?i)k"),
        *(r"a\Z", "(?P<x>a)", "^[^a]*$", "a|b", "(a)\\1", "^$", r"\W", "^a{1,2}$"),
    ]
)
_FORMAT = st.sampled_from(
    [
        *("date", "date-time", "time", "email", "idn-email", "hostname", "idn-hostname", "ipv4"),
        *("ipv6", "uri", "uri-reference", "iri", "regex", "json-pointer", "uri-template", "uuid"),
        *("duration", "relative-json-pointer", "no such format"),
    ]
)
_TYPE = st.sampled_from(["string", "number", "integer", "boolean", "array", "object", "null"])
_REFERENCE = st.sampled_from(
    [
        "#",
        "#/definitions/a",
        "#/definitions/b",
        "#/properties/a",
        "#/definitions/x~1y~0z",
        "#/allOf/0",
    ]
)


_REQUIRED = st.lists(NAMES, max_size=2, unique=True)


def _words(inner):
    several = st.lists(inner, min_size=1, max_size=2)
    return {
        "type": _TYPE | st.lists(_TYPE, min_size=1, max_size=3, unique=True),
        "enum": st.lists(VALUES, min_size=1, max_size=3),
        "const": VALUES,
        **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _BOUND),
        "multipleOf": NUMBERS.filter(lambda number: number > 0),
        **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _COUNT),
        **dict.fromkeys(("minProperties", "maxProperties"), _COUNT),
        "uniqueItems": st.booleans(),
        "pattern": _REGEX,
        "format": _FORMAT,
        "contentEncoding": st.just("base64"),
        "contentMediaType": st.just("application/json"),
        "required": _REQUIRED,
        "properties": st.dictionaries(NAMES, inner, max_size=3),
        "definitions": st.dictionaries(st.sampled_from(["a", "b", "x/y~z"]), inner, max_size=2),
        "patternProperties": st.dictionaries(_REGEX, inner, max_size=1),
        "dependencies": st.dictionaries(NAMES, _REQUIRED | inner, max_size=2),
        **dict.fromkeys(("additionalProperties", "propertyNames", "contains"), inner),
        "items": inner | several,
        "additionalItems": inner,
        **dict.fromkeys(("allOf", "anyOf", "oneOf"), several),
        **dict.fromkeys(("not", "if", "then", "else"), inner),
        "$ref": _REFERENCE,
        "unevaluatedProperties": st.just(False),  # of later drafts: a remark
        "dependentRequired": st.just({"a": ["b"]}),
    }


def _some_words(inner):
    words = _words(inner)
    few = st.lists(st.sampled_from(sorted(words)), max_size=3, unique=True)
    return few.flatmap(lambda chosen: st.fixed_dictionaries({word: words[word] for word in chosen}))


SCHEMAS = st.recursive(st.booleans(), _some_words, max_leaves=10)
