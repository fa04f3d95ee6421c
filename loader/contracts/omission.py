"""What is left out of an event so that it breaks its contract less: places, and the event without.

A place is a path from the event: ("properties", "products", 0, "price"). What is left out is always
a key of an object inside of properties, traits or context; an item of an array isn't, since that
would move the others: the array's own key goes.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from jsonschema.exceptions import ValidationError

from loader.event.envelope import Event

Place = tuple[str | int, ...]

_INSIDE = ("properties", "traits", "context")
_MISSING = ("required", "dependencies")  # rules that are broken by what isn't there


def path_text(place: Iterable[str | int]) -> str:
    """A place as a JSON path: `$.properties.products[0].price`."""
    return ValidationError("", path=place).json_path


def places_to_omit(error: ValidationError, event: Event) -> Iterator[Place]:
    """The places without which `error` would not be; none if leaving out can't mend it."""
    path = tuple(error.absolute_path)
    if error.validator == "additionalProperties" and error.validator_value is False:
        found = [(*path, name) for name in _undescribed(error.instance, error.schema)]
    elif error.validator in _MISSING:
        found = []
    elif isinstance(error.instance, str) and isinstance(_at(event, path), dict):
        found = [(*path, error.instance)]  # `propertyNames` is about a key, not about its value
    else:
        found = [path]
    for place in map(_up_to_key, found):
        if len(place) > 1 and place[0] in _INSIDE:
            yield place


def without(event: Event, places: Iterable[Place]) -> Event:
    """`event` without what stands at `places`; the given one stays as it is."""
    mended: Any = event
    for place in places:
        mended = _without(mended, place)
    return mended  # type: ignore[no-any-return]


def _without(value: Any, place: Place) -> Any:
    """A copy as deep as the place is; the value itself where there is no such place (any more)."""
    key, *rest = place
    if isinstance(value, list) and isinstance(key, int):
        return [*value[:key], _without(value[key], tuple(rest)), *value[key + 1 :]]
    if not isinstance(value, dict) or key not in value:
        return value
    if rest:
        return {**value, key: _without(value[key], tuple(rest))}
    return {name: inner for name, inner in value.items() if name != key}


def _up_to_key(place: Place) -> Place:
    while place and isinstance(place[-1], int):
        place = place[:-1]
    return place


def _undescribed(instance: Any, schema: Any) -> list[str]:
    patterns = schema.get("patternProperties", ())
    return [
        name
        for name in instance
        if name not in schema.get("properties", ())
        and not any(re.search(pattern, name) for pattern in patterns)
    ]


def _at(event: Any, path: Place) -> Any:
    for key in path:
        event = event[key]
    return event
