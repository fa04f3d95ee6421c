"""`transformations:` of headwater.yml: declared changes to events, applied in order."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from loader.config import TransformationConfig
from loader.errors import ConfigError
from loader.event.envelope import Event
from loader.event.naming import table_name
from loader.transformations.condition import read_condition
from loader.transformations.hashing import hashed
from loader.transformations.paths import Path, get, is_free, put, read_path, without

Change = Callable[[Event], Event]


class Transformations:
    """All transformations of a workspace; each sees what the ones before it made of the event.

    Raises ConfigError that names the index and key of what makes no sense.
    """

    def __init__(self, configs: Sequence[TransformationConfig], salt: str) -> None:
        places = enumerate(configs)
        self._all = [_Transformation(c, f"transformations[{i}]", salt) for i, c in places]

    def __call__(self, event: Event) -> Event | None:
        """The event as it is to be taken, None if it is not; `event` itself is never changed."""
        for transformation in self._all:
            if transformation.is_for(event):
                if transformation.drops_event:
                    return None
                event = transformation.change(event)
        return event


class _Transformation:
    def __init__(self, config: TransformationConfig, where: str, salt: str) -> None:
        self._call = "track" if config.event is not None else config.type
        is_named = config.event not in (None, "*")
        self._table = table_name(config.event) if config.event and is_named else None
        self._condition = read_condition(config.if_, f"{where}.if") if config.if_ else None
        self._changes = list(_changes(config, where, salt))
        self.drops_event = config.drop_event

    def is_for(self, event: Event) -> bool:
        """An event is known by its table, so that `order completed` is `Order Completed` too."""
        if self._call is not None and event["type"] != self._call:
            return False
        if self._table is not None and table_name(event["event"]) != self._table:
            return False
        return self._condition is None or self._condition(event)

    def change(self, event: Event) -> Event:
        for change in self._changes:
            event = change(event)
        return event


def _changes(config: TransformationConfig, where: str, salt: str) -> list[Change]:
    """What a transformation does, in the order in which it does it."""
    changes: list[Change] = []
    if config.rename_event is not None:
        name = config.rename_event
        changes.append(lambda event: {**event, "event": name})
    for old, new in config.rename.items():
        place = f"{where}.rename.{old}"
        changes.append(_renaming(read_path(old, place), read_path(new, place)))
    for text, value in config.set.items():
        path = read_path(text, f"{where}.set.{text}")
        changes.append(_setting(path, _as_json(value, f"{where}.set.{text}")))
    changes += [_hashing(path, salt) for path in _paths(config.hash, f"{where}.hash")]
    changes += [_dropping(path) for path in _paths(config.drop, f"{where}.drop")]
    if config.allow:
        changes.append(_allowing(_paths(config.allow, f"{where}.allow")))
    return changes


def _paths(texts: Sequence[str], where: str) -> list[Path]:
    return [read_path(text, f"{where}[{i}]") for i, text in enumerate(texts)]


def _as_json(value: Any, where: str) -> Any:
    """`value` of YAML as JSON would have it: a date becomes its text."""
    try:
        return msgspec.json.decode(msgspec.json.encode(value))
    except (TypeError, ValueError, msgspec.MsgspecError) as problem:
        raise ConfigError(
            f"headwater.yml: {where}: {problem}", fix="write what JSON can hold"
        ) from problem


def _renaming(old: Path, new: Path) -> Change:
    """Where the new place is taken both values stay as they are: nothing is lost."""

    def rename(event: Event) -> Event:
        value = get(event, old)
        rest = without(event, old)
        return event if value is None or not is_free(rest, new) else put(rest, new, value)

    return rename


def _setting(path: Path, value: Any) -> Change:
    return lambda event: put(event, path, value)


def _hashing(path: Path, salt: str) -> Change:
    def hash_(event: Event) -> Event:
        value = get(event, path)
        return event if value is None else put(event, path, hashed(value, salt))

    return hash_


def _dropping(path: Path) -> Change:
    return lambda event: without(event, path)


def _allowing(paths: list[Path]) -> Change:
    """Of each root that a path names, nothing is kept but what the paths name."""
    roots = {path[0] for path in paths}

    def allow(event: Event) -> Event:
        kept: Event = {**event, **{root: {} for root in roots if root in event}}
        for path in paths:
            value = get(event, path)
            if value is not None:
                kept = put(kept, path, value)
        return kept

    return allow
