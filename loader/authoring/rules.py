"""Rules of one schema that can't hold, hold of nothing, or say nothing."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from jsonschema import Draft7Validator

from loader.authoring.findings import Remark
from loader.authoring.keywords import FOREIGN, KNOWN, SPEAKS_OF, Schema, slip_of, types_of
from loader.authoring.patterns import dialect_of

_PAIRS: Final = (
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
)
_EXCLUSIVE: Final = (
    ("minimum", "exclusiveMaximum"),
    ("exclusiveMinimum", "maximum"),
    ("exclusiveMinimum", "exclusiveMaximum"),
)
# What a single value can be held to without looking elsewhere.
_OF_A_VALUE: Final = ("type", "format", *SPEAKS_OF)
_CHECKED_FORMATS: Final = frozenset(Draft7Validator.FORMAT_CHECKER.checkers)
_OTHER_FORMATS: Final = frozenset(  # draft-07 has them; a validator may pass them over
    {
        *("hostname", "iri", "iri-reference", "json-pointer", "relative-json-pointer"),
        *("uri", "uri-reference", "uri-template"),
    }
)


def remarks_on(schema: Schema) -> Iterator[Remark]:
    """What there is to say of `schema`, by itself: schemas within it are asked for themselves."""
    yield from unknown_words(schema)
    yield from _impossible_bounds(schema)
    yield from _impossible_values(schema)
    yield from _impossible_names(schema)
    yield from _idle_words(schema)
    yield from _format(schema)
    yield from _pattern(schema)


def unknown_words(schema: Schema) -> Iterator[Remark]:
    """The keywords of `schema`, good or not by the meta-schema, that draft-07 doesn't have."""
    for word in schema:
        if word in KNOWN or word.startswith("x-"):
            continue
        said = f"unknown keyword {word!r}: nobody reads it"
        slip = slip_of(word, KNOWN)
        if word in FOREIGN:
            yield Remark("error", "unknown_keyword", f"{said} in draft-07", FOREIGN[word])
        elif slip:
            yield Remark("error", "unknown_keyword", said, f"did you mean {slip!r}?")
        else:
            fix = "describe a property under `properties`; begin a word of your own with `x-`"
            yield Remark("warning", "unknown_keyword", said, fix)


def _impossible_bounds(schema: Schema) -> Iterator[Remark]:
    for pairs, is_broken in ((_PAIRS, _is_above), (_EXCLUSIVE, _is_not_below)):
        for least, most in pairs:
            if is_broken(schema.get(least), schema.get(most)):
                found = f"`{least}` {schema[least]} and `{most}` {schema[most]}: nothing is both"
                yield Remark("error", "impossible", found, f"raise `{most}` or lower `{least}`")


def _is_above(least: Any, most: Any) -> bool:
    return isinstance(least, int | float) and isinstance(most, int | float) and least > most


def _is_not_below(least: Any, most: Any) -> bool:
    return isinstance(least, int | float) and isinstance(most, int | float) and least >= most


def _impossible_values(schema: Schema) -> Iterator[Remark]:
    own = Draft7Validator(
        {
            word: schema[word]
            for word in _OF_A_VALUE
            if word in schema and not _refers(schema[word])
        },
        format_checker=Draft7Validator.FORMAT_CHECKER,
    )
    allowed = schema.get("enum")
    if allowed == []:
        yield Remark("error", "impossible", "`enum` is empty: nothing passes", "name the values")
    for word, values in (
        ("enum", allowed if isinstance(allowed, list) else []),
        ("const", [schema["const"]] if "const" in schema else []),
        ("default", [schema["default"]] if "default" in schema else []),
    ):
        for value in values:
            broken = next(own.iter_errors(value), None)
            if broken is not None:
                said = f"`{word}` names {json.dumps(value)}, refused by its `{broken.validator}`"
                severity: Any = "warning" if word == "default" else "error"
                yield Remark(severity, "impossible", said, "mend the one or the other")


def _refers(rules: Any) -> bool:
    return "$ref" in json.dumps(rules)


def _impossible_names(schema: Schema) -> Iterator[Remark]:
    required, described = schema.get("required"), schema.get("properties", {})
    if not isinstance(required, list) or not isinstance(described, dict):
        return
    most = schema.get("maxProperties")
    if isinstance(most, int) and len(set(required)) > most:
        said = f"{len(set(required))} names are required and `maxProperties` is {most}"
        yield Remark("error", "impossible", said, "raise `maxProperties`")
    by_pattern = schema.get("patternProperties", {})
    is_closed = schema.get("additionalProperties") is False
    for name in required:
        if name in described:
            if described[name] is False:
                said = f"{name!r} is required and never allowed"
                yield Remark("error", "impossible", said, "decide for one of both")
            continue
        if any(re.search(pattern, name) for pattern in by_pattern):
            continue
        slip = slip_of(name, frozenset(described) - set(required))
        fix = f"did you mean {slip!r}?" if slip else f"describe {name!r} under `properties` too"
        said = f"{name!r} is required and not among `properties`"
        if is_closed:
            said += ", and `additionalProperties` is false: no event passes"
            yield Remark("error", "impossible", said, fix)
        elif described or slip:
            yield Remark("warning", "unknown_required", said, fix)


def _idle_words(schema: Schema) -> Iterator[Remark]:
    if "$ref" in schema:
        idle = sorted((KNOWN & schema.keys()) - {"$ref", "definitions", "description", "title"})
        if idle:
            said = f"beside a `$ref` nobody reads {', '.join(f'`{word}`' for word in idle)}"
            fix = 'put both into `allOf`: "allOf": [{"$ref": …}, {…}]'
            yield Remark("warning", "idle_keyword", said, fix)
        return
    kinds = types_of(schema)
    for word, speaks_of in SPEAKS_OF.items():
        if word in schema and kinds and not set(kinds) & set(speaks_of):
            said = f"`{word}` says nothing of a value of type {' or '.join(kinds)}"
            fix = f"leave it out, or make the type {speaks_of[0]!r}"
            yield Remark("warning", "idle_keyword", said, fix)
    if "additionalItems" in schema and not isinstance(schema.get("items"), list):
        said = "`additionalItems` says nothing unless `items` is a list"
        yield Remark("warning", "idle_keyword", said, "leave it out")
    for word in ("then", "else"):
        if word in schema and "if" not in schema:
            said, fix = f"`{word}` without `if` says nothing", f"add `if`, or drop `{word}`"
            yield Remark("warning", "idle_keyword", said, fix)


def _format(schema: Schema) -> Iterator[Remark]:
    found = schema.get("format")
    if isinstance(found, str) and found not in _CHECKED_FORMATS:
        slip = None if found in _OTHER_FORMATS else slip_of(found, _CHECKED_FORMATS)
        fix = f"did you mean {slip!r}?" if slip else "if it matters, say it as a `pattern`"
        said = f"format {found!r} is not checked; checked are {', '.join(sorted(_CHECKED_FORMATS))}"
        yield Remark("error" if slip else "warning", "unchecked_format", said, fix)
    kinds = types_of(schema)
    if found is not None and kinds and "string" not in kinds:
        said = f"`format` says nothing of a value of type {' or '.join(kinds)}"
        fix = "leave it out, or make the type 'string'"
        yield Remark("warning", "idle_keyword", said, fix)


def _pattern(schema: Schema) -> Iterator[Remark]:
    patterns = [schema.get("pattern"), *_names(schema.get("patternProperties"))]
    for pattern in patterns:
        if isinstance(pattern, str):
            differing = list(dialect_of(pattern))
            if differing:
                said = f"engines differ over {pattern!r}: {'; '.join(differing)}"
                fix = "keep to what all engines take alike"
                yield Remark("warning", "pattern_dialect", said, fix)


def _names(found: Any) -> list[str]:
    return list(found) if isinstance(found, dict) else []
