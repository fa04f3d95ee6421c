"""Segment's rules of identity in plain Python, one event after another: what the models must equal.

It shares no code with them, so that one of the two tells of the other's faults.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import md5
from typing import NamedTuple

DAY = 86_400_000_000  # microseconds
Identifier = tuple[str, str]  # type, value


class Limit(NamedTuple):
    values: int
    days: int | None = None


@dataclass(frozen=True)
class Rules:
    """What headwater.yml says under `identity`; `blocked` are expressions of whole values."""

    limits: Mapping[str, Limit]
    priority: Sequence[str] = ("user_id", "email")
    blocked: Sequence[str] = ()
    max_merges: int = 100
    max_mappings: int = 1000


class Event(NamedTuple):
    """A call that tells who it is of: `identifiers` by their places in it, the first one first."""

    id: str
    type: str
    received_at: int  # microseconds since any moment
    identifiers: Sequence[Identifier]


class Override(NamedTuple):
    """A row of identity_overrides.csv."""

    kind: str  # block_identifier | block_link | split | merge
    type: str
    value: str
    other_type: str = ""
    other_value: str = ""


class Update(NamedTuple):
    segment_id: str
    canonical_segment_id: str
    event_id: str | None  # of the event that did it; None: an override


class Demotion(NamedTuple):
    event_id: str
    type: str
    value: str
    reason: str  # limit | full | override


@dataclass
class Profile:
    """What one event created, and others added to; `parts`: itself and what was merged into it."""

    segment_id: str
    number: int
    parts: list["Profile"] = field(default_factory=list)
    attached_at: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    mappings: int = 0
    merges: int = 0
    merged_into: "Profile | None" = None

    @property
    def canonical(self) -> "Profile":
        profile = self
        while profile.merged_into is not None:
            if profile.merged_into.merged_into is not None:
                profile.merged_into = profile.merged_into.merged_into
            profile = profile.merged_into
        return profile


class Resolution:
    """The outcomes of all events given to `resolve` so far, in their order of arrival."""

    def __init__(self, rules: Rules, overrides: Iterable[Override] = ()) -> None:
        self.profiles: list[Profile] = []  # as they were created, those merged away too
        self.owners: dict[Identifier, Profile] = {}
        self.events: dict[str, Profile | None] = {}  # by the event's id
        self.updates: list[Update] = []
        self.merges: list[Update] = []
        self.demotions: list[Demotion] = []
        self._rules = rules
        self._blocked = re.compile("|".join(f"(?:{one})" for one in rules.blocked) or r"(?!)")
        self._arrivals: dict[Identifier, tuple[int, Identifier]] = {}
        self._seen_events = 0
        self._overrides: defaultdict[str, list[Override]] = defaultdict(list)
        for override in overrides:
            self._overrides[override.kind].append(override)

    def resolve(self, events: Iterable[Event]) -> "Resolution":
        for event in events:
            if event.type == "alias":
                self.events[event.id] = None
            else:
                self._resolve(event)
        return self

    def finish(self) -> "Resolution":
        """Merge what overrides merge, once all events are there."""
        for override in self._overrides["merge"]:
            one = self.owners.get((override.type, override.value))
            other = self.owners.get((override.other_type, override.other_value))
            if one and other and one.canonical is not other.canonical:
                older, younger = sorted((one.canonical, other.canonical), key=lambda p: p.number)
                self._merge(younger, older, None)
        return self

    def _resolve(self, event: Event) -> None:
        carried = self._carried(event)
        while self._is_crowded(carried, event.received_at):
            self._demote(event, carried.pop(), "limit")
        found = self._found(carried)
        new = [identifier for identifier in carried if identifier not in self.owners]
        if not found:
            self.events[event.id] = self._create(new, event) if new else None
            return
        oldest = found[0]
        self.events[event.id] = oldest
        if self._is_full(found, len(new)):
            for identifier in carried:
                owner = self.owners.get(identifier)
                if owner is None or owner.canonical is not oldest:
                    self._demote(event, identifier, "full")
            return
        for younger in found[1:]:
            self._merge(younger, oldest, event)
        self._attach(oldest, new, event)

    def _carried(self, event: Event) -> list[Identifier]:
        """The event's identifiers that count, those of the highest priority first."""
        carried = [
            identifier
            for identifier in dict.fromkeys(event.identifiers)
            if not self._blocked.fullmatch(identifier[1])
        ]
        self._seen_events += 1
        for identifier in carried:
            if identifier not in self._arrivals:
                self._arrivals[identifier] = (self._seen_events, identifier)
        carried.sort(key=self._rank)  # stable: of one type, places decide
        return self._without_overridden(event, carried) if self._overrides else carried

    def _rank(self, identifier: Identifier) -> tuple[int, str]:
        priority = self._rules.priority
        kind = identifier[0]
        return (priority.index(kind), "") if kind in priority else (len(priority), kind)

    def _without_overridden(self, event: Event, carried: list[Identifier]) -> list[Identifier]:
        blocked = {(row.type, row.value) for row in self._overrides["block_identifier"]}
        kept = [identifier for identifier in carried if identifier not in blocked]
        for row in self._overrides["block_link"]:
            ends = {(row.type, row.value), (row.other_type, row.other_value)}
            linked = [identifier for identifier in carried if identifier in ends - blocked]
            if len(linked) == 2 and linked[1] in kept:
                kept.remove(linked[1])
        split = {(row.type, row.value) for row in self._overrides["split"]}
        joined = [identifier for identifier in kept if identifier not in split]
        kept = joined or kept[:1]
        for identifier in carried:
            if identifier not in kept:
                self._demote(event, identifier, "override")
        return kept

    def _found(self, carried: Iterable[Identifier]) -> list[Profile]:
        """The profiles that hold any of the identifiers, the oldest first."""
        owners = (self.owners.get(identifier) for identifier in carried)
        found = {owner.canonical.number for owner in owners if owner}
        return [self.profiles[number] for number in sorted(found)]

    def _is_crowded(self, carried: Sequence[Identifier], at: int) -> bool:
        """Whether a limit is broken if all that the event touches becomes one profile."""
        found = self._found(carried)
        counts: dict[str, int] = defaultdict(int)
        for identifier in carried:
            if identifier not in self.owners:
                counts[identifier[0]] += 1
        if len(found) + sum(counts.values()) < 2:
            return False  # nothing becomes one that is not already
        for profile in found:
            for kind, times in profile.attached_at.items():
                days = self._limit(kind).days
                counts[kind] += (
                    len(times) if days is None else sum(time > at - days * DAY for time in times)
                )
        return any(count > self._limit(kind).values for kind, count in counts.items())

    def _limit(self, kind: str) -> Limit:
        return self._rules.limits.get(kind) or self._rules.limits["*"]

    def _is_full(self, found: Sequence[Profile], new: int) -> bool:
        if len(found) + new < 2:
            return False
        return (
            sum(profile.mappings for profile in found) + new > self._rules.max_mappings
            or sum(profile.merges for profile in found) + len(found) - 1 > self._rules.max_merges
            or any(profile.merges >= self._rules.max_merges for profile in found)
        )

    def _create(self, identifiers: Sequence[Identifier], event: Event) -> Profile:
        first = min(identifiers, key=self._arrivals.__getitem__)
        profile = Profile(segment_id_of(first), len(self.profiles))
        profile.parts.append(profile)
        self.profiles.append(profile)
        self.updates.append(Update(profile.segment_id, profile.segment_id, event.id))
        self._attach(profile, identifiers, event)
        return profile

    def _attach(self, profile: Profile, identifiers: Iterable[Identifier], event: Event) -> None:
        for identifier in identifiers:
            self.owners[identifier] = profile
            profile.attached_at[identifier[0]].append(event.received_at)
            profile.mappings += 1

    def _merge(self, younger: Profile, older: Profile, event: Event | None) -> None:
        younger.merged_into = older
        for kind, times in younger.attached_at.items():
            older.attached_at[kind] += times
        older.mappings += younger.mappings
        older.merges += younger.merges + 1
        self.merges.append(
            Update(younger.segment_id, older.segment_id, event.id if event else None)
        )
        if event:
            for part in younger.parts:
                self.updates.append(Update(part.segment_id, older.segment_id, event.id))
        older.parts += younger.parts

    def _demote(self, event: Event, identifier: Identifier, reason: str) -> None:
        self.demotions.append(Demotion(event.id, *identifier, reason))

    def canonical_of(self, event_id: str) -> str | None:
        """The canonical id, as of now, of the user that an event is of."""
        profile = self.events[event_id]
        return profile.canonical.segment_id if profile else None

    def users(self) -> dict[str, set[Identifier]]:
        """The identifiers of each canonical user."""
        found: defaultdict[str, set[Identifier]] = defaultdict(set)
        for identifier, profile in self.owners.items():
            found[profile.canonical.segment_id].add(identifier)
        return dict(found)

    def id_graph(self) -> dict[str, str]:
        """The canonical id that each id ever given leads to."""
        return {profile.segment_id: profile.canonical.segment_id for profile in self.profiles}


def segment_id_of(identifier: Identifier) -> str:
    return md5(":".join(identifier).encode(), usedforsecurity=False).hexdigest()


def resolve(
    rules: Rules, events: Iterable[Event], overrides: Iterable[Override] = ()
) -> Resolution:
    return Resolution(rules, overrides).resolve(events).finish()


def identifiers_of(call: Mapping[str, object]) -> Iterator[Identifier]:
    """The identifiers of a call as a source sends it, by their places."""
    traits = call.get("traits") if call["type"] == "identify" else None
    context = call.get("context") or {}
    yield from ((kind, call[key]) for kind, key in _IDS.items() if call.get(key))
    for told in (traits, context.get("traits")):
        if told and told.get("email"):
            yield ("email", told["email"].strip(" ").lower())
    for given in context.get("externalIds", ()):
        yield (given["type"], given["id"])


_IDS = {"user_id": "userId", "anonymous_id": "anonymousId"}
