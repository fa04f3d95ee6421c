"""The identifiers that an event carries, wherever it carries them: what tells whose it is."""

from collections.abc import Collection, Iterator
from typing import Any, Final, NamedTuple

from loader.event.envelope import Event
from loader.event.naming import snake_case

EMAIL: Final = "email"
_ENVELOPE: Final = {  # field -> what its value may be
    "userId": ("user_id",),
    "anonymousId": ("anonymous_id",),
    "previousId": ("user_id", "anonymous_id"),
}
_OF_ENVELOPE: Final = frozenset({"user_id", "anonymous_id", "group_id"})
_TRAITS: Final[tuple[tuple[str, ...], ...]] = (
    ("traits",),
    ("properties",),
    ("context", "traits"),
)  # whose keys are types
# Whichever system the device says it runs: nobody else has the same id.
_DEVICE: Final = {
    ("context", "device", "id"): ("android.id", "ios.id"),
    ("context", "device", "advertisingId"): ("android.idfa", "ios.idfa"),
    ("context", "device", "token"): ("android.push_token", "ios.push_token"),
    ("context", "integrations", "Google Analytics", "clientId"): ("ga_client_id",),
}
_EXTERNAL: Final = ("context", "externalIds")


class Identifier(NamedTuple):
    """A value of one type (user_id, email …), as `normal` gives it."""

    type: str
    value: str

    def is_named(self, asked: str) -> bool:
        """Whether `asked`, as `type:value` or the value alone, means it."""
        names = (str(self), self.value)
        return asked in names or (self.type == EMAIL and asked.strip().lower() in names)

    def __str__(self) -> str:
        return f"{self.type}:{self.value}"


def normal(type_: str, value: str) -> Identifier:
    """The identifier as identity compares it: an e-mail without blanks around and in lower case."""
    if type_ != EMAIL:
        return Identifier(type_, value)
    value = value.strip(" ")
    if value.isascii():
        return Identifier(type_, value.lower())
    return Identifier(type_, "".join(letter.lower()[0] for letter in value))  # as SQL's lower()


def identifiers_of(event: Event, types: Collection[str]) -> Iterator[Identifier]:
    """Every identifier of one of `types` that `event`, whose ids are texts, carries."""
    for field, meant in _ENVELOPE.items():
        yield from _as(event.get(field), meant, types)
    for path in _TRAITS:
        found = _at(event, path)
        for key, value in found.items() if type(found) is dict else ():
            yield from _as(value, types_at(*path, key, types=types), types)
    for path, meant in _DEVICE.items():
        yield from _as(_at(event, path), meant, types)
    external = _at(event, _EXTERNAL)
    for item in external if type(external) is list else ():
        if type(item) is dict and isinstance(item.get("type"), str):
            yield from _as(item.get("id"), (item["type"].lower(),), types)


def types_at(*path: str, types: Collection[str]) -> tuple[str, ...]:
    """As which of `types` the value at `path` of an event may identify; any, of external ids."""
    if path == _EXTERNAL:
        return tuple(types)
    if path[:-1] in _TRAITS:
        name = snake_case(path[-1])
        return (name,) if name in types and name not in _OF_ENVELOPE else ()
    return tuple(name for name in _DEVICE.get(path, ()) if name in types)


def _as(value: Any, meant: Collection[str], types: Collection[str]) -> Iterator[Identifier]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and value:
        yield from (normal(name, value) for name in meant if name in types)


def _at(event: Event, path: tuple[str, ...]) -> Any:
    found: Any = event
    for key in path:
        if type(found) is not dict:
            return None
        found = found.get(key)
    return found
