"""The words of JSON Schema draft-07: which there are, what each speaks of, where schemas nest."""

import difflib
from collections.abc import Iterator
from typing import Any, Final

Schema = dict[str, Any]

_SUBSCHEMA: Final = (
    *("additionalItems", "additionalProperties", "contains", "else", "if", "items", "not"),
    *("propertyNames", "then"),
)
_SUBSCHEMA_LIST: Final = ("allOf", "anyOf", "items", "oneOf")
_SUBSCHEMA_BY_NAME: Final = ("definitions", "dependencies", "patternProperties", "properties")
# The kinds of value that a word restricts; all others pass it.
SPEAKS_OF: Final = {
    **dict.fromkeys(("maxLength", "minLength", "pattern"), ("string",)),
    **dict.fromkeys(
        ("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"),
        ("number", "integer"),
    ),
    **dict.fromkeys(
        ("additionalItems", "contains", "items", "maxItems", "minItems", "uniqueItems"), ("array",)
    ),
    **dict.fromkeys(
        (
            *("additionalProperties", "dependencies", "maxProperties", "minProperties"),
            *("patternProperties", "properties", "propertyNames", "required"),
        ),
        ("object",),
    ),
}
_ANNOTATIONS: Final = (
    *("$comment", "$id", "$schema", "contentEncoding", "contentMediaType", "default"),
    *("definitions", "description", "examples", "readOnly", "title", "writeOnly"),
    *("deprecated", "example", "labels"),  # other dialects', and harmless
)
RESTRICTING: Final = frozenset(
    {
        *SPEAKS_OF,
        *("$ref", "allOf", "anyOf", "const", "else", "enum", "format", "if", "not", "oneOf"),
        *("then", "type"),
    }
)
KNOWN: Final = frozenset({*RESTRICTING, *_ANNOTATIONS})
# Words of other drafts and dialects: they look like rules, and nobody reads them.
FOREIGN: Final = {
    "$anchor": "point a `$ref` at `#/definitions/…`",
    "$defs": "call it `definitions`",
    "dependentRequired": "use `dependencies`",
    "dependentSchemas": "use `dependencies`",
    "disallow": "use `not`",
    "divisibleBy": "use `multipleOf`",
    "extends": "use `allOf`",
    "maxContains": "draft-07 has no word for it; leave it out",
    "minContains": "draft-07 has no word for it; leave it out",
    "nullable": 'write "null" among the types: "type": ["string", "null"]',
    "prefixItems": "give `items` the list",
    "unevaluatedItems": "use `additionalItems`",
    "unevaluatedProperties": "use `additionalProperties`",
}


def slip_of(word: str, known: Iterator[str] | frozenset[str]) -> str | None:
    """The known word that `word` is very likely a misspelling of."""
    by_lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.75)
    return by_lower[close[0]] if close else None


def walk(schema: Any, path: str) -> Iterator[tuple[str, Schema]]:
    """Every schema in `schema`, itself first, each with its JSON path."""
    if not isinstance(schema, dict):
        return
    yield path, schema
    for word in _SUBSCHEMA:
        yield from walk(schema.get(word), f"{path}.{word}")
    for word in _SUBSCHEMA_LIST:
        for place, part in enumerate(_as(list, schema.get(word))):
            yield from walk(part, f"{path}.{word}[{place}]")
    for word in _SUBSCHEMA_BY_NAME:
        for name, part in _as(dict, schema.get(word)).items():
            yield from walk(part, f"{path}.{word}{step(name)}")


def meaning(schema: Any) -> Any:
    """`schema` without what restricts nothing: descriptions, titles, examples, unknown words."""
    if not isinstance(schema, dict):
        return schema
    found: Schema = {}
    for word in RESTRICTING & schema.keys():
        rules = schema[word]
        if word in _SUBSCHEMA_BY_NAME and isinstance(rules, dict):
            found[word] = {name: meaning(part) for name, part in rules.items()}
        elif word in _SUBSCHEMA_LIST and isinstance(rules, list):
            found[word] = [meaning(part) for part in rules]
        else:
            found[word] = meaning(rules) if word in _SUBSCHEMA else rules
    return found


def says_nothing(schema: Any) -> bool:
    """Whether every value passes `schema`, as far as its words tell."""
    return schema is True or (isinstance(schema, dict) and not RESTRICTING & schema.keys())


def step(name: str) -> str:
    """`name` as one step of a JSON path: `.total`, or `['order id']`."""
    return f".{name}" if name.isidentifier() else f"[{name!r}]"


def types_of(schema: Schema) -> list[str]:
    """The types that `schema` names; [] if it names none."""
    kinds = schema.get("type", [])
    return [str(kind) for kind in (kinds if isinstance(kinds, list) else [kinds])]


def _as(kind: type, value: Any) -> Any:
    return value if isinstance(value, kind) else kind()
