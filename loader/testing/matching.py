"""Whether an event is the one that a test waits for, and if not, what differs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

_MISSING: Final = object()
_MAX_SHOWN: Final = 5
_MAX_CHARACTERS: Final = 200
_KINDS: Final = {str: "a string", bool: "a boolean", dict: "an object", list: "an array"}


@dataclass(frozen=True)
class Difference:
    """One place where an event is not as it was wanted."""

    path: str
    found: Any
    wanted: Any

    def __str__(self) -> str:
        if self.found is _MISSING:
            return f"{self.path}: missing, wanted {_show(self.wanted)}"
        found, wanted = _show(self.found), _show(self.wanted)
        kinds = _kind(self.found), _kind(self.wanted)
        if all(kinds) and kinds[0] != kinds[1]:
            found, wanted = f"{found} ({kinds[0]})", f"{wanted} ({kinds[1]})"
        return f"{self.path}: {found}, wanted {wanted}"


def differences(wanted: Any, found: Any, path: str = "") -> Iterator[Difference]:
    """Where `found` is not as `wanted`; an object may have more fields than are wanted.

    A wanted value may be anything that compares, such as `unittest.mock.ANY` or `pytest.approx`.
    """
    if isinstance(wanted, Mapping):
        if found == []:  # PHP's empty array stands for an empty object
            found = {}
        if not isinstance(found, dict):
            yield Difference(path, found, wanted)
            return
        for name, value in wanted.items():
            place = f"{path}.{name}" if path else str(name)
            yield from differences(value, found.get(name, _MISSING), place)
    elif isinstance(wanted, list | tuple) and isinstance(found, list) and len(wanted) == len(found):
        for index, (value, own) in enumerate(zip(wanted, found, strict=True)):
            yield from differences(value, own, f"{path}[{index}]")
    elif found is _MISSING or not _is_equal(wanted, found):
        yield Difference(path, found, wanted)


def nearest(wanted: Mapping[str, Any], events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The few of `events` that are most like the wanted one, the nearest first."""
    return sorted(events, key=lambda event: _distance(wanted, event))[:_MAX_SHOWN]


def described(event: Mapping[str, Any]) -> str:
    """An event in a few words, and its properties or traits."""
    body = event.get("properties", event.get("traits"))
    return f"{title(event)} with {_show(body)}" if body else title(event)


def title(event: Mapping[str, Any]) -> str:
    """An event in a few words."""
    name = event.get("event", event.get("name"))
    words = [str(event.get("type") or "an event without type")]
    if name is not None:
        words.append(_show(name))
    for field in ("userId", "anonymousId"):
        if event.get(field):
            words.append(f"of {field} {_show(event[field])}")
            break
    return " ".join(words)


def _is_equal(wanted: Any, found: Any) -> bool:
    """Equal as JSON: to Python, True is 1."""
    if isinstance(wanted, bool | int | float):
        return isinstance(found, bool) == isinstance(wanted, bool) and bool(wanted == found)
    return bool(wanted == found)


def _distance(wanted: Mapping[str, Any], event: dict[str, Any]) -> tuple[bool, float, int]:
    """By which events are sorted: another call, a name less alike, more differences."""
    names = (str(wanted.get("event", "")), str(event.get("event", "")))
    unlikeness = 1 - SequenceMatcher(None, names[0].lower(), names[1].lower()).ratio()
    return event.get("type") != wanted["type"], unlikeness, len(list(differences(wanted, event)))


def _kind(value: Any) -> str:
    """What JSON calls it; "" where that says nothing."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "a number"
    return _KINDS.get(type(value), "")


def _show(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}…"
