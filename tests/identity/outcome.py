"""What can be seen of an outcome: the oracle's, a warehouse's, and a case's as it is told."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.identity.oracle import Resolution, Update

TABLES = ("user_identifiers", "id_graph", "id_graph_updates", "profile_merges", "identity_demoted")
Read = Callable[[str], Iterable[tuple[Any, ...]]]


@dataclass(frozen=True)
class Outcome:
    users: frozenset[tuple[str, str, str]]  # canonical id, type, value
    events: Mapping[str, str | None]  # event -> canonical id
    id_graph: frozenset[tuple[str, str]]
    updates: frozenset[tuple[str, str, str]]
    merges: frozenset[tuple[str, str, str | None]]
    demoted: frozenset[tuple[str, str, str, str, str | None]]

    @classmethod
    def empty(cls) -> "Outcome":
        return cls(frozenset(), {}, frozenset(), frozenset(), frozenset(), frozenset())

    def differences(self, other: "Outcome") -> dict[str, tuple[list[Any], list[Any]]]:
        """By part, a few rows that only this one has, and that only the other has."""
        parts = {name: (_rows(self, name), _rows(other, name)) for name in _PARTS}
        return {
            name: (sorted(mine - its, key=repr)[:6], sorted(its - mine, key=repr)[:6])
            for name, (mine, its) in parts.items()
            if mine != its
        }

    def only(self, events: Collection[str]) -> "Outcome":
        """What has to do with `events`, which share no identifier with any other event."""
        updates = frozenset(update for update in self.updates if update[2] in events)
        ids = {update[0] for update in updates}
        return Outcome(
            users=frozenset(row for row in self.users if row[0] in ids),
            events={event: user for event, user in self.events.items() if event in events},
            id_graph=frozenset(row for row in self.id_graph if row[0] in ids),
            updates=updates,
            merges=frozenset(row for row in self.merges if row[0] in ids),
            demoted=frozenset(row for row in self.demoted if row[0] in events),
        )


_PARTS = ("users", "events", "id_graph", "updates", "merges", "demoted")


def _rows(outcome: Outcome, name: str) -> frozenset[Any]:
    part = getattr(outcome, name)
    return frozenset(part.items()) if name == "events" else part


def outcome_of(resolution: Resolution) -> Outcome:
    """What the oracle found."""
    return Outcome(
        users=frozenset(
            (user, *identifier)
            for user, identifiers in resolution.users().items()
            for identifier in identifiers
        ),
        events={event: resolution.canonical_of(event) for event in resolution.events},
        id_graph=frozenset(resolution.id_graph().items()),
        updates=frozenset(map(tuple, resolution.updates)),
        merges=_merges(resolution),
        demoted=frozenset(
            (*demotion, resolution.canonical_of(demotion.event_id))
            for demotion in resolution.demotions
        ),
    )


def _merges(resolution: Resolution) -> frozenset[tuple[str, str, str | None]]:
    """An override's merge leads to what the other profile is part of by now."""
    graph = resolution.id_graph()
    return frozenset(
        (merge.segment_id, _into(merge, graph), merge.event_id) for merge in resolution.merges
    )


def _into(merge: Update, graph: Mapping[str, str]) -> str:
    return merge.canonical_segment_id if merge.event_id else graph[merge.segment_id]


def read_outcome(read: Read) -> Outcome:
    """What the models made; `read` gives the rows of a query of them."""
    return Outcome(
        users=_unique(read("select canonical_user_id, type, value from user_identifiers")),
        events=dict(read("select id, canonical_user_id from events")),
        id_graph=_unique(read("select segment_id, canonical_segment_id from id_graph")),
        updates=_unique(read(f"select {_UPDATE} from id_graph_updates")),
        merges=_unique(read(f"select {_UPDATE} from profile_merges")),
        demoted=_unique(
            read("select event_id, type, value, reason, canonical_user_id from identity_demoted")
        ),
    )


_UPDATE = "segment_id, canonical_segment_id, triggering_event_id"


def _unique(rows: Iterable[tuple[Any, ...]]) -> frozenset[Any]:
    found = [tuple(row) for row in rows]
    assert len(found) == len(set(found)), "a row is there twice"
    return frozenset(found)


def as_told(outcome: Outcome, order: Mapping[str, int]) -> dict[str, Any]:
    """The outcome in the words of a case; `order` numbers the events as they arrived."""
    created = sorted(
        (order[event], segment) for segment, into, event in outcome.updates if segment == into
    )
    names = {segment: f"p{number}" for number, (_, segment) in enumerate(created, start=1)}
    identifiers: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for user, kind, value in sorted(outcome.users):
        identifiers[names[user]].setdefault(kind, []).append(value)
    events: dict[str, list[str]] = defaultdict(list)
    for event, user in sorted(outcome.events.items(), key=lambda told: order[told[0]]):
        if user is not None:
            events[names[user]].append(event)
    demoted: dict[str, list[str]] = defaultdict(list)
    for event, kind, value, _reason, _user in sorted(outcome.demoted):
        demoted[event].append(f"{kind}:{value}")
    return {
        "profiles": [
            {"profile": name, "identifiers": identifiers[name], "events": events[name]}
            for name in sorted(identifiers)
        ],
        "id_graph_updates": sorted([names[s], names[c], e] for s, c, e in outcome.updates),
        "demoted": dict(demoted),
    }


def as_expected(expected: Mapping[str, Any]) -> dict[str, Any]:
    """The same of what a case expects."""
    return {
        "profiles": [
            {
                "profile": told["profile"],
                "identifiers": {k: sorted(told["identifiers"][k]) for k in told["identifiers"]},
                "events": told["events"],
            }
            for told in sorted(expected["profiles"], key=lambda told: told["profile"])
        ],
        "id_graph_updates": sorted(expected["id_graph_updates"]),
        "demoted": {event: sorted(d) for event, d in expected.get("demoted", {}).items()},
    }
