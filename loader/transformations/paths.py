"""Places in an event, as headwater.yml names them: `properties.total`, `context.traits.email`.

An event is never changed in place: `put` and `without` give one that shares with it whatever did
not change. A path leads through objects, not into arrays.
"""

import re
from typing import Any, Final

from loader.errors import ConfigError
from loader.event.envelope import Event

Path = tuple[str, ...]

MAX_KEYS: Final = 4  # below properties, traits or context
_ROOTS: Final = ("properties", "traits", "context")
_DOT: Final = re.compile(r"(?<!\\)\.")  # a dot that belongs to a key is written \.


def read_path(text: object, where: str) -> Path:
    """The path that `text` names, at least one key below its root; `where` is its place."""
    keys = split_path(str(text))
    if keys[0] not in _ROOTS or not 1 < len(keys) <= MAX_KEYS + 1 or "" in keys:
        raise ConfigError(
            f"headwater.yml: {where}: {text!r} is no path; wanted properties, traits or context,"
            f" and 1 to {MAX_KEYS} keys below it, as in properties.total",
            fix=r"write it so; a dot that belongs to a key is written \.",
        )
    return keys


def split_path(text: str) -> Path:
    """The keys of a dotted path, whatever they are."""
    return tuple(key.replace("\\.", ".") for key in _DOT.split(text))


def get(event: Event, path: Path) -> Any:
    """The value at `path`, None where there is none."""
    value: Any = event
    for key in path:
        if type(value) is not dict:
            return None
        value = value.get(key)
    return value


def put(event: Event, path: Path, value: Any) -> Event:
    """`event` with `value` at `path`; what is no object on the way there becomes one."""
    key, *rest = path
    if not rest:
        return {**event, key: value}
    inner = event.get(key)
    return {**event, key: put(inner if type(inner) is dict else {}, tuple(rest), value)}


def without(event: Event, path: Path) -> Event:
    """`event` without what is at `path`; the object around it stays, even if empty."""
    key, *rest = path
    if key not in event:
        return event
    if not rest:
        return {name: value for name, value in event.items() if name != key}
    inner = event[key]
    return {**event, key: without(inner, tuple(rest))} if type(inner) is dict else event


def is_free(event: Event, path: Path) -> bool:
    """Whether nothing would be lost if something was put at `path`."""
    value: Any = event
    for key in path:
        if type(value) is not dict:
            return value is None
        value = value.get(key)
    return value is None
