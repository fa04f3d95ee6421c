"""Schemas that only a few values pass: those can be tried one by one."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from jsonschema import Draft7Validator

from loader.authoring.keywords import Schema, types_of

_FEW: Final[dict[str, list[Any]]] = {"boolean": [True, False], "null": [None]}
_MAX_SHOWN: Final = 5


def values_of(schema: Schema) -> list[Any] | None:
    """Every value that could pass `schema`; None if there are more than can be named."""
    if "const" in schema:
        return [schema["const"]]
    if "enum" in schema:
        return list(schema["enum"])
    kinds = types_of(schema)
    if kinds and all(kind in _FEW for kind in kinds):
        return [value for kind in kinds for value in _FEW[kind]]
    return None


def changed_values(
    values: Sequence[Any], old: Schema, new: Schema
) -> Iterator[tuple[bool, str, str]]:
    """(is refused, keyword, what changed), where only `values` could pass `old`."""
    before, now = _judge(old), _judge(new)
    passed = [value for value in values if before.is_valid(value)]
    refused = [value for value in passed if not now.is_valid(value)]
    if refused:
        word = str(next(now.iter_errors(refused[0])).validator)
        yield True, word, f"no longer allowed: {_list(refused)}"
    allowed = values_of(new)
    added = [value for value in allowed or [] if now.is_valid(value) and not before.is_valid(value)]
    word = "const" if "const" in new else "enum" if "enum" in new else "type"
    if allowed is None:
        yield False, word, f"was one of {_list(passed)}, may be more now"
    elif added:
        yield False, word, f"allowed now: {_list(added)}"


def _judge(schema: Schema) -> Draft7Validator:
    return Draft7Validator(schema, format_checker=Draft7Validator.FORMAT_CHECKER)


def _list(values: Sequence[Any]) -> str:
    shown = ", ".join(json.dumps(value, ensure_ascii=False) for value in values[:_MAX_SHOWN])
    more = len(values) - _MAX_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
