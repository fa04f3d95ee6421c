"""The schemas inside of a schema, and where a `$ref` leads to."""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

# Keywords whose value is a schema, a list of schemas, or schemas by name.
_ONE: Final = frozenset(
    {
        *("additionalItems", "additionalProperties", "contains", "items", "propertyNames"),
        *("if", "then", "else", "not"),
    }
)
_MANY: Final = frozenset({"allOf", "anyOf", "oneOf", "items"})
_NAMED: Final = frozenset({"definitions", "dependencies", "patternProperties", "properties"})
# Those that speak of the same value as the schema that they stand in.
_SAME: Final = frozenset({"allOf", "anyOf", "oneOf", "if", "then", "else", "not", "dependencies"})


def target_of(reference: object, root: Any) -> Any:
    """What a `$ref` of the form `#/definitions/x` points at in `root`; None for any other."""
    if not isinstance(reference, str):
        return None
    found: Any = root
    if reference in ("", "#"):
        return found
    head, *tokens = unquote(reference).split("/")
    if head != "#":
        return None
    for token in tokens:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found


def schemas_in(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The schemas right inside of `schema`, each with its keyword; some may be booleans."""
    for word, value in schema.items():
        if word in _NAMED and isinstance(value, dict):
            yield from ((word, inner) for inner in value.values())
        elif word in _MANY and isinstance(value, list):
            yield from ((word, inner) for inner in value)
        elif word in _ONE:
            yield word, value


def endless_reference(root: Any) -> str | None:
    """A `$ref` that leads back to itself before any value was entered; None if there is none."""
    found, waiting = dict[int, Any](), [root]
    while waiting:
        schema = waiting.pop()
        if isinstance(schema, dict) and id(schema) not in found:
            found[id(schema)] = schema
            waiting += [inner for _, inner in schemas_in(schema)]
            waiting.append(target_of(schema.get("$ref"), root))
    ended: set[int] = set()
    looped = (_loop_from(schema, root, frozenset(), ended) for schema in found.values())
    return next(filter(None, looped), None)


def _loop_from(schema: Any, root: Any, behind: frozenset[int], ended: set[int]) -> str | None:
    """The first `$ref` that leads from `schema` to one of those `behind` it, or to itself."""
    if not isinstance(schema, dict) or id(schema) in ended:
        return None
    behind |= {id(schema)}
    reference = schema.get("$ref")
    if reference is not None:  # what stands beside it counts for nothing
        on = [target_of(reference, root)]
        if id(on[0]) in behind:
            return str(reference)
    else:
        on = [inner for word, inner in schemas_in(schema) if word in _SAME]
    for inner in on:
        if looped := _loop_from(inner, root, behind, ended):
            return looped
    ended.add(id(schema))
    return None
