"""Which events and violations are a person's, wherever they lie."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from loader.archive import count_events, find_events
from loader.config import Workspace
from loader.event.identifiers import Identifier
from loader.forget.person import Person
from loader.warehouse import LakeRows, Manifest, read_violations

_decode: Final = msgspec.json.Decoder().decode


Lacking = dict[tuple[int, str], int]  # rows, by load and table


class RawRows(Protocol):
    """The raw tables of a warehouse, as they are asked for somebody's rows."""

    def ids_of(self, identifiers: Collection[Identifier]) -> set[str]:
        """The ids of events that carry one of `identifiers` in a column of its own."""

    def ids_that_tell_of(self, message_ids: Collection[str]) -> set[str]:
        """The ids of events that loads made themselves of violations of these messages."""

    def violations(self) -> Iterable[tuple[str, str]]:
        """Message id and payload of each violation."""

    def count_rows(self, ids: Collection[str]) -> dict[str, int]:
        """By event table, how many rows have one of the ids."""


class RawLake:
    """The raw tables of the lake; with BigQuery its logs, which are kept here too."""

    def __init__(self, workspace: Workspace, manifest: Manifest) -> None:
        self._workspace, self._manifest = workspace, manifest
        self._rows = LakeRows(workspace, manifest)
        self.ids_of = self._rows.ids_of
        self.ids_that_tell_of = self._rows.ids_that_tell_of

    def violations(self) -> Iterable[tuple[str, str]]:
        """See RawRows."""
        return ((id_, text) for _, id_, text, _ in read_violations(self._workspace, self._manifest))

    def count_rows(self, ids: Collection[str]) -> dict[str, int]:
        """See RawRows."""
        return {
            table: sum(sum(loads.values()) for loads in files.values())
            for table, files in self._rows.count(ids).items()
        }


@dataclass
class Doomed:
    """Ids of events, and of messages whose violations go; `counts` are of rows, by place."""

    ids: set[str]
    message_ids: set[str]
    counts: dict[str, int]


def find_doomed(
    workspace: Workspace,
    raw: Sequence[RawRows],
    person: Person,
    known: Collection[str] = (),
    *,
    next_load_id: int,
) -> Doomed:
    """All that is the person's, and the events `known` to be; the first of `raw` is counted.

    An event is theirs if the marts say so, or if it carries an identifier of theirs: as it is in
    raw tables, as it came (the archive), or as it was kept back.
    """
    ids = {*person.event_ids, *known, *find_events(workspace, next_load_id, person.has)}
    for rows in raw:
        ids |= rows.ids_of(person.identifiers)
    tells = _teller(person)
    violations = [
        [id_ for id_, payload in rows.violations() if id_ in ids or tells(payload)] for rows in raw
    ]
    message_ids = {id_ for found in violations for id_ in found}
    for rows in raw:
        ids |= rows.ids_that_tell_of(ids | message_ids)
    counts = {"archive": count_events(workspace, ids), "raw.violations": len(violations[0])}
    counts |= {f"raw.{table}": count for table, count in raw[0].count_rows(ids).items()}
    return Doomed(ids, message_ids, {place: count for place, count in counts.items() if count})


def _teller(person: Person) -> Callable[[str], bool]:
    """Whether the payload of a violation is the person's.

    What is no event is text that nobody could read: it is if one of the values stands in it.
    """
    values = {identifier.value for identifier in person.identifiers}
    spelled = values | {json.dumps(value)[1:-1] for value in values}
    any_value = "|".join(map(re.escape, sorted(spelled, key=len, reverse=True)))
    pattern = re.compile(rf"(?<!\w)(?:{any_value})(?!\w)", re.IGNORECASE)

    def tells(payload: str) -> bool:
        found = _decode(payload)
        if isinstance(found, dict):
            return person.has(found)
        return isinstance(found, str) and pattern.search(found) is not None

    return tells
