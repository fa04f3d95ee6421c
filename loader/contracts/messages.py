"""A broken rule in words that the developer who sent the event understands at once."""

import json
from typing import Any

from jsonschema.exceptions import ValidationError

_SHOWN = 80
_KINDS = {
    "string": "a string",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "an array",
    "object": "an object",
    "null": "null",
}


def explain(error: ValidationError) -> tuple[str, str, str]:
    """The rule (a JSON Schema keyword), the JSON path of the place, and a sentence."""
    rule, path, found = str(error.validator), error.json_path, error.instance
    wanted = _wanted(error.schema) if isinstance(error.schema, dict) else "something else"
    if rule == "required" and isinstance(found, dict):
        names: Any = error.validator_value
        name = next(name for name in names if error.message.startswith(repr(name)))
        properties = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
        return (
            rule,
            f"{path}.{name}",
            f"is missing; the contract wants {_wanted(properties.get(name))}",
        )
    if rule == "type":
        return rule, path, f"{show(found)} is {_kind_of(found)}; the contract wants {wanted}"
    if rule in ("enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        return rule, path, f"{show(found)} is not allowed; the contract wants {wanted}"
    if rule == "format":
        return rule, path, f"{show(found)} is no {error.validator_value}; send one"
    if rule == "pattern":
        return rule, path, f"{show(found)} does not match {error.validator_value!r}"
    if error.validator is None or (rule == "not" and error.validator_value == {}):
        return "false", path, f"{show(found)} is not allowed there"
    return rule, path, error.message.replace(repr(found), show(found))


def _wanted(schema: Any) -> str:
    """What a schema asks for: "a number >= 0", "one of RUB, USD, EUR"."""
    if not isinstance(schema, dict) or not schema:
        return "a value"
    if "enum" in schema:
        return f"one of {', '.join(show(value) for value in schema['enum'])}"
    if "const" in schema:
        return show(schema["const"])
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    wanted = " or ".join(_KINDS.get(str(kind), str(kind)) for kind in kinds) or "a value"
    bounds = {"minimum": ">=", "maximum": "<=", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}
    limits = [f"{sign} {schema[word]}" for word, sign in bounds.items() if word in schema]
    return f"{wanted} {' and '.join(limits)}".strip()


def _kind_of(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    kinds = {
        str: "a string",
        int: "a number",
        float: "a number",
        list: "an array",
        dict: "an object",
    }
    return kinds.get(type(value), type(value).__name__)


def show(value: object) -> str:
    """A value as JSON, cut where it gets long."""
    return _shorten(json.dumps(value, ensure_ascii=False, default=str))


def _shorten(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
