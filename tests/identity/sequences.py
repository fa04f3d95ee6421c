"""Random sequences of events, with few identifiers in each: they meet, and meet limits, often."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from tests.identity.oracle import DAY, Event, Identifier, Limit, Override, Rules

BLOCKED = ("[0-]*", "-1", "null", "anonymous")
# `alpha` to `zone` have no place in the priority: they rank by the alphabet, after those that have.
TYPES = ("user_id", "email", "anonymous_id", "alpha", "phone", "zone")
# Under the first, no profile is ever full, and the same identifiers again come to the same.
RULES = {
    "ever": Rules(
        {"user_id": Limit(1), "email": Limit(2), "*": Limit(2)}, ("user_id", "email"), BLOCKED
    ),
    "windows": Rules(
        {"user_id": Limit(1), "phone": Limit(1, 30), "email": Limit(2, 7), "*": Limit(2, 7)},
        ("user_id", "phone", "email"),
        BLOCKED,
        max_merges=2,
        max_mappings=6,
    ),
}


@dataclass(frozen=True)
class Arrival:
    """An event of a sequence, and when it comes, from 0 to 1, among those of all others."""

    at: float
    event: Event


def make_sequence(name: str, random: Random) -> list[Arrival]:
    """All its identifiers begin with `name`, but for blocked ones: it meets no other sequence."""
    carried = [list(_blocked_at_times(set_, random)) for set_ in _sets(random)]
    moments = sorted(random.random() for _ in carried)
    days = 0.0
    arrivals = []
    for number, (identifiers, moment) in enumerate(zip(carried, moments, strict=True)):
        days += random.choice((0, 0, 1, 1, 2, 3, 7, -1, -7 if days > 7 else 0))
        received_at = int(max(days, 0) * DAY) + random.choice((0, 0, 0, 1_000_000))
        named = [_named(name, identifier) for identifier in identifiers]
        emails = sum(kind == "email" for kind, _ in identifiers)
        others = ("page", "track", "group", "screen") if emails < 2 else ()
        call = random.choice(("identify", *others))
        arrivals.append(Arrival(moment, Event(f"{name}e{number}", call, received_at, named)))
    return arrivals


def _named(name: str, identifier: Identifier) -> Identifier:
    kind, value = identifier
    return (kind, value if value in _BLOCKED_VALUES else f"{name}{value}")


_BLOCKED_VALUES = ("000-0", "null", "anonymous")


def _blocked_at_times(identifiers: Sequence[Identifier], random: Random) -> Iterator[Identifier]:
    for kind, value in identifiers:
        if random.random() < 0.04:
            yield (kind, random.choice(_BLOCKED_VALUES))
        else:
            yield (kind, value)


def _sets(random: Random) -> list[list[Identifier]]:
    """The identifiers of each event, in order of arrival."""
    shape = random.choice((_tangle, _tangle, _apart, _apart, _hub, _chain))
    found: list[list[Identifier]] = []
    for identifiers in shape(random):
        found.append(_distinct(identifiers))
        if random.random() < 0.2:  # again, or in another order, or less of it
            again = list(random.choice(found))
            random.shuffle(again)
            found.append(again[: random.randint(1, len(again))] if random.random() < 0.3 else again)
    return found


def _tangle(random: Random) -> Iterator[list[Identifier]]:
    types = random.sample(TYPES, random.randint(2, 4))
    values = random.randint(2, 4)
    for _ in range(random.randint(4, 18)):
        size = random.choice((1, 2, 2, 2, 3, 3, 4))
        yield [(random.choice(types), str(random.randrange(values))) for _ in range(size)]


def _apart(random: Random) -> Iterator[list[Identifier]]:
    """Each identifier is seen alone, most of them before they are seen together."""
    types = random.sample(TYPES, random.randint(2, 5))
    ids = [(random.choice(types), str(n)) for n in range(random.randint(4, 9))]
    alone = random.sample(ids, len(ids) - random.randint(0, 2))
    yield from ([one] for one in alone)
    for _ in range(random.randint(3, 9)):
        yield random.sample(ids, random.choice((2, 2, 2, 3)))


def _hub(random: Random) -> Iterator[list[Identifier]]:
    """One identifier is in nearly all events, with ever others."""
    hub, *types = random.sample(TYPES, random.randint(2, 4))
    for number in range(random.randint(4, 14)):
        others = [(kind, str(number // random.randint(1, 3))) for kind in types]
        kept = random.sample(others, random.randint(1, len(others)))
        with_hub = [(hub, "hub"), *kept] if random.random() < 0.85 else kept
        random.shuffle(with_hub)
        yield with_hub


def _chain(random: Random) -> Iterator[list[Identifier]]:
    """Each identifier is linked to the next one; the links arrive in any order, or in theirs."""
    types = random.sample(TYPES, random.randint(1, 3))
    length = random.randint(4, 12)
    ids = [(types[n % len(types)], str(n)) for n in range(length)]
    links = [[ids[n], ids[n + 1]] for n in range(length - 1)]
    if random.random() < 0.7:
        random.shuffle(links)
    yield from (link[:: random.choice((1, -1))] for link in links)


def _distinct(identifiers: Sequence[Identifier]) -> list[Identifier]:
    """At most one user_id and anonymous_id, and two e-mails: a call has no place for more."""
    found: list[Identifier] = []
    room = {"user_id": 1, "anonymous_id": 1, "email": 2}
    for identifier in identifiers:
        kind = identifier[0]
        if identifier not in found and sum(k == kind for k, _ in found) < room.get(kind, 9):
            found.append(identifier)
    return found


def cut(sequences: Sequence[Sequence[Arrival]], batches: int) -> list[list[Event]]:
    """The events of all sequences as they arrive, in `batches` that cut each sequence somewhere."""
    found: list[list[Event]] = [[] for _ in range(batches)]
    for arrival in sorted((a for s in sequences for a in s), key=lambda a: a.at):
        found[int(arrival.at * batches)].append(arrival.event)
    return found


def make_overrides(events: Sequence[Event], random: Random) -> list[Override]:
    """One or two overrides of identifiers that the events of a sequence carry."""
    carried = sorted({i for event in events for i in event.identifiers} - _blocked_ones(events))
    together = [e.identifiers for e in events if len(set(e.identifiers) & set(carried)) > 1]
    found = []
    for _ in range(random.randint(1, 2)):
        kind = random.choice(("block_identifier", "block_link", "split", "split", "merge"))
        if kind in ("block_identifier", "split"):
            found.append(Override(kind, *random.choice(carried)))
        elif kind == "merge" and len(carried) > 1:
            one, other = random.sample(carried, 2)
            found.append(Override(kind, *one, *other))
        elif kind == "block_link" and together:
            pair = [i for i in random.choice(together) if i in carried]
            one, other = random.sample(pair, 2)
            found.append(Override(kind, *one, *other))
    return found


def _blocked_ones(events: Sequence[Event]) -> set[Identifier]:
    return {i for event in events for i in event.identifiers if i[1] in _BLOCKED_VALUES}
