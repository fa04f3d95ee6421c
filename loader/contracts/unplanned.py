"""Which properties of an event its contract doesn't know.

A contract knows a property that it describes or requires, also inside of `allOf`, `anyOf`, `oneOf`,
`if`, `then`, `else`, `dependencies` or behind a `$ref`. It knows every property of an object that
it doesn't describe, or for which it states `additionalProperties`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from loader.contracts.omission import Place
from loader.contracts.references import target_of

_ALL_OF = ("allOf", "anyOf", "oneOf")
_ONE_OF = ("if", "then", "else")
_ANYTHING = {"additionalProperties": True}


class Known:
    """What schemas know of one place in an event; each schema comes with the root of its file."""

    def __init__(self, schemas: Iterable[tuple[Any, Any]]) -> None:
        self._schemas = list(_applied(schemas))
        self._properties: dict[str, Known] = {}
        self._items: Known | None = None
        is_described = any("properties" in s or "patternProperties" in s for s, _ in self._schemas)
        self._is_open = not is_described or any(
            s.get("additionalProperties", False) is not False for s, _ in self._schemas
        )

    def unplanned(self, value: Any, place: Place) -> Iterator[Place]:
        """The places in `value`, an object or array that stands at `place`, that are not known."""
        if isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, dict | list):
                    yield from self._item().unplanned(item, (*place, index))
            return
        for name, inner in value.items():
            known = self._properties.get(name) or self.property(name)
            if known is None:
                if not self._is_open:
                    yield (*place, name)
            elif isinstance(inner, dict | list):
                yield from known.unplanned(inner, (*place, name))

    def property(self, name: str) -> "Known | None":
        """What is known of a property; None if nothing is."""
        known = self._properties.get(name)
        if known is None:
            found = list(self._described(name))
            if not found:  # and is not remembered: events bring ever new ones
                return None
            known = self._properties[name] = Known(found)
        return known

    def _described(self, name: str) -> Iterator[tuple[Any, Any]]:
        for schema, root in self._schemas:
            if name in schema.get("properties", ()):
                yield schema["properties"][name], root
            elif name in schema.get("required", ()):
                yield {}, root
            for pattern, inner in schema.get("patternProperties", {}).items():
                if re.search(pattern, name):
                    yield inner, root

    def _item(self) -> "Known":
        """What is known of an array's items; of each the same, if the schema tells them apart."""
        if self._items is None:
            found: list[tuple[Any, Any]] = []
            for schema, root in self._schemas:
                stated = schema.get("items", {})
                several = stated if isinstance(stated, list) else [stated]
                found += [(each, root) for each in (*several, schema.get("additionalItems", {}))]
            self._items = Known(found)
        return self._items


def closed(schema: Any, body: str) -> Any:
    """`schema`, of whole events, such that what it allows in `body` holds nothing unplanned.

    It may allow less: in a part that says `$ref`, `allOf` and the like, only names beside that.
    """
    described = schema.get("properties", {}) if isinstance(schema, dict) else {}
    if body not in described:
        return schema
    return {**schema, "properties": {**described, body: _closed(described[body])}}


def _closed(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    found = dict(schema)
    if isinstance(schema.get("items"), dict):
        found["items"] = _closed(schema["items"])
    if "properties" in schema:
        found["properties"] = {name: _closed(s) for name, s in schema["properties"].items()}
        found["additionalProperties"] = False
    return found


def _applied(schemas: Iterable[tuple[Any, Any]]) -> Iterator[tuple[dict[str, Any], Any]]:
    """The given schemas and all that apply in the same place, each once."""
    waiting = list(schemas)
    seen: set[int] = set()
    while waiting:
        schema, root = waiting.pop()
        if not isinstance(schema, dict) or id(schema) in seen:
            continue
        seen.add(id(schema))
        if "$ref" in schema:
            target = target_of(schema["$ref"], root)
            waiting.append((_ANYTHING if target is None else target, root))
            continue
        yield schema, root
        inner = [each for word in _ALL_OF for each in schema.get(word, ())]
        inner += [schema[word] for word in _ONE_OF if word in schema]
        inner += schema.get("dependencies", {}).values()
        waiting += [(each, root) for each in inner]
