"""Of whom nothing may be stored any more: hashes of identifiers, which tell nobody who that is.

The list is one file of the workspace's state. It holds a random key and, of each person who was
forgotten, HMAC-SHA256 of `type:value` for every identifier; never a value.
"""

import hmac
import json
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from loader.durable import replacing
from loader.errors import StorageError
from loader.event.envelope import Event
from loader.event.identifiers import Identifier, identifiers_of

FORMAT_VERSION: Final = 1
_KEY_BYTES: Final = 32

Digests = Mapping[str, frozenset[bytes]]  # by type of identifier


@dataclass(frozen=True)
class Suppression:
    """The people who were forgotten, each under the label of their receipt."""

    key: bytes = b""
    people: Mapping[str, Digests] = field(default_factory=dict)

    def __post_init__(self) -> None:
        merged: dict[str, frozenset[bytes]] = {}
        for digests in self.people.values():
            for name, found in digests.items():
                merged[name] = merged.get(name, frozenset()) | found
        object.__setattr__(self, "digests", merged)

    digests: Digests = field(init=False, repr=False)  # of all

    def __bool__(self) -> bool:
        return bool(self.digests)

    def digest(self, identifier: Identifier) -> bytes:
        """What stands for `identifier` in this workspace, and in no other."""
        return hmac.digest(self.key, str(identifier).encode("utf-8", "surrogatepass"), "sha256")

    def holds(self, identifier: Identifier) -> bool:
        """Whether it is of somebody who was forgotten."""
        found = self.digests.get(identifier.type)
        return found is not None and self.digest(identifier) in found

    def is_of(self, event: Event) -> bool:
        """Whether `event`, whose ids are texts by now, carries such an identifier anywhere."""
        return bool(self.digests) and any(map(self.holds, identifiers_of(event, self.digests)))

    def with_person(self, label: str, identifiers: Iterable[Identifier]) -> "Suppression":
        """The list with one person more."""
        digests: dict[str, set[bytes]] = {}
        for identifier in identifiers:
            digests.setdefault(identifier.type, set()).add(self.digest(identifier))
        frozen = {name: frozenset(found) for name, found in sorted(digests.items())}
        return Suppression(self.key, {**self.people, label: frozen})

    def labels_of(self, identifiers: Collection[Identifier]) -> list[str]:
        """The labels of the people to whom one of `identifiers` belonged."""
        return [
            label
            for label, digests in self.people.items()
            if any(self.digest(known) in digests.get(known.type, ()) for known in identifiers)
        ]

    def without(self, labels: Collection[str]) -> "Suppression":
        """The list without the people of `labels`."""
        kept = {label: found for label, found in self.people.items() if label not in labels}
        return Suppression(self.key, kept)


def read_suppression(path: Path) -> Suppression:
    """The list as last written; an empty one, with a key of its own, before that."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["format_version"] > FORMAT_VERSION:
            raise StorageError(f"{path}: a newer Headwater wrote it", fix="upgrade headwater")
        people = {
            label: {name: frozenset(map(bytes.fromhex, some)) for name, some in digests.items()}
            for label, digests in found["people"].items()
        }
        return Suppression(bytes.fromhex(found["key"]), people)
    except FileNotFoundError:
        return Suppression(secrets.token_bytes(_KEY_BYTES))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        # To go on without it would let in what must not come: no load runs before it is mended.
        raise StorageError(
            f"{path}: who was forgotten can't be read: {problem!r}", fix="restore it from a backup"
        ) from problem


def write_suppression(path: Path, suppression: Suppression) -> None:
    """Make it the list that counts; durable on return, readable by its owner alone."""
    people = {
        label: {name: sorted(map(bytes.hex, some)) for name, some in digests.items()}
        for label, digests in suppression.people.items()
    }
    document = {"format_version": FORMAT_VERSION, "key": suppression.key.hex(), "people": people}
    with replacing(path) as draft:
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(document), encoding="utf-8")
