"""What a forget has begun, so that one that was killed is finished by the next.

It names the person, since by then nothing else may: it is readable by its owner alone, and the last
thing that goes.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from loader.config import Workspace
from loader.durable import replacing
from loader.errors import StorageError
from loader.event.identifiers import Identifier
from loader.forget.person import Person

_FILE: Final = "forgetting.json"


@dataclass
class Journal:
    """A forget at work; `label` is its receipt's name.

    `keys` are those of syncs' rows, as the marts had them, `ids` and `message_ids` of what goes.
    Once all is done only `receipt` is left.
    """

    label: str
    person: Person
    keys: dict[str, list[str]] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    message_ids: set[str] = field(default_factory=set)
    erased: dict[str, int] = field(default_factory=dict)  # rows by place
    receipt: dict[str, Any] | None = None

    def take(self, other: "Journal") -> None:
        """Go on with what `other` was about to do, too."""
        mine, its = self.person, other.person
        self.person = Person(
            mine.asked,
            mine.identifiers | its.identifiers,
            mine.canonical_ids | its.canonical_ids,
            mine.event_ids | its.event_ids,
        )
        self.ids |= other.ids
        self.message_ids |= other.message_ids
        self.note(other.erased)
        for name, keys in other.keys.items():
            self.keys[name] = sorted({*self.keys.get(name, ()), *keys})

    def note(self, erased: dict[str, int]) -> None:
        """What is about to go; of what an earlier try has erased already, that it was there."""
        for place, count in erased.items():
            self.erased[place] = max(count, self.erased.get(place, 0))


def read_journal(workspace: Workspace) -> Journal | None:
    """What was begun and is not finished; None if nothing is."""
    path = _path(workspace)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as problem:
        raise StorageError(
            f"{path}: a forget that was begun can't be read: {problem}",
            fix="remove it and repeat the forget, by each identifier that is known",
        ) from problem
    person = Person(
        found["asked"],
        frozenset(Identifier(*pair) for pair in found["identifiers"]),
        frozenset(found["canonical_ids"]),
        frozenset(found["event_ids"]),
    )
    return Journal(
        found["label"],
        person,
        found["keys"],
        set(found["ids"]),
        set(found["message_ids"]),
        found["erased"],
        found["receipt"],
    )


def write_journal(workspace: Workspace, journal: Journal) -> None:
    """Make it durable, whole or not at all; once there is a receipt, that and nothing else."""
    person = journal.person if journal.receipt is None else Person("", frozenset())
    is_done = journal.receipt is not None
    document = {
        "label": journal.label,
        "asked": person.asked,
        "identifiers": sorted(person.identifiers),
        "canonical_ids": sorted(person.canonical_ids),
        "event_ids": sorted(person.event_ids),
        "keys": {} if is_done else journal.keys,
        "ids": _sorted(journal.ids, is_done=is_done),
        "message_ids": _sorted(journal.message_ids, is_done=is_done),
        "erased": journal.erased,
        "receipt": journal.receipt,
    }
    with replacing(_path(workspace)) as draft:
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(document), encoding="utf-8")


def end_journal(workspace: Workspace) -> None:
    """Remove it: what it began is done."""
    path = _path(workspace)
    path.with_name(f".{path.name}.tmp").unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _sorted(ids: Collection[str], *, is_done: bool) -> list[str]:
    return [] if is_done else sorted(ids)


def _path(workspace: Workspace) -> Path:
    return workspace.home / _FILE
