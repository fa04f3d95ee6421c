"""Why two identifiers are one profile, or why they are not."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from loader.config import Workspace
from loader.errors import ConfigError, LoaderError
from loader.event.identifiers import Identifier
from loader.profile.chain import Link, shortest_chain
from loader.profile.lookup import find_identifier, unknown
from loader.profile.marts import Marts, open_marts

_NAMED: Final = 10  # demotions that are told where two identifiers are apart
_NODE: Final = "select node from int_identifiers where type = $type and value = $value"
# One link for each pair of identifiers that some event carried and that counted in it.
_LINKS: Final = """
with profile as (
    select identifiers.node
    from user_identifiers as attached
    inner join int_identifiers as identifiers
        on identifiers.type = attached.type and identifiers.value = attached.value
    where attached.canonical_user_id = $id
),

demoted as (
    select _seq, node from int_identity_log where kind = 'demote'
),

counted as (
    select evidence._seq, evidence.node
    from int_identity_evidence as evidence
    inner join profile on profile.node = evidence.node
    left join demoted on demoted._seq = evidence._seq and demoted.node = evidence.node
    where
        demoted.node is null
        and evidence._seq not in (select _seq from int_identity_log where kind = 'left')
)

select counted.node, linked.node as linked_node, min(counted._seq) as seq
from counted
inner join counted as linked on linked._seq = counted._seq
where counted.node < linked.node
group by counted.node, linked.node
"""
_MERGED: Final = """
select
    identifiers.node,
    other_identifiers.node as linked_node,
    cast(null as integer) as seq
from identity_overrides as overrides
inner join int_identifiers as identifiers
    on identifiers.type = overrides.type and identifiers.value = overrides.value
inner join int_identifiers as other_identifiers
    on other_identifiers.type = overrides.other_type
    and other_identifiers.value = overrides.other_value
inner join user_identifiers as attached
    on attached.type = overrides.type and attached.value = overrides.value
inner join user_identifiers as other_attached
    on other_attached.type = overrides.other_type
    and other_attached.value = overrides.other_value
where overrides.kind = 'merge'
    and attached.canonical_user_id = $id
    and other_attached.canonical_user_id = $id
"""
_EVENTS: Final = """
select _seq, event_id, event_type, timestamp from int_identity_sets where _seq in ({seqs})
"""
_TOGETHER: Final = """
with shared as (
    select evidence._seq
    from int_identity_evidence as evidence
    where evidence.node in ({nodes})
    group by evidence._seq
    having count(*) = 2
)

select
    sets._seq,
    sets.event_id,
    sets.event_type,
    sets.timestamp,
    identifiers.type,
    identifiers.value,
    outcomes.reason
from shared
inner join int_identity_sets as sets on sets._seq = shared._seq
inner join int_identity_log as outcomes
    on outcomes._seq = shared._seq and outcomes.kind = 'demote' and outcomes.node in ({nodes})
inner join int_identifiers as identifiers on identifiers.node = outcomes.node
order by sets._seq, identifiers.node
limit {limit}
"""


@dataclass(frozen=True, kw_only=True)
class Hop:
    """One link of the chain: the earliest event that carried both; without event, an override."""

    identifier: Identifier
    linked_identifier: Identifier
    by: str  # event | override
    event_id: str | None = None
    event_type: str | None = None
    timestamp: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Demotion:
    """An event that carried both, and which of them did not count in it, for which reason."""

    event_id: str
    event_type: str
    timestamp: datetime
    demoted: Identifier
    reason: str


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """`hops` where both are one profile, else the first `demotions` if events carried both.

    An identifier that identifies nobody has no profile.
    """

    identifier: Identifier
    other: Identifier
    canonical_id: str | None
    other_canonical_id: str | None
    hops: list[Hop]
    demotions: list[Demotion]

    @property
    def is_one_profile(self) -> bool:
        """Whether both belong to one profile."""
        return self.canonical_id is not None and self.canonical_id == self.other_canonical_id


def explain(workspace: Workspace, asked: str, asked_other: str) -> Explanation:
    """Why the two identifiers are one profile, or are not; errors as `open_marts` and
    `find_identifier`, LoaderError for one that no event carried.
    """
    with open_marts(workspace) as marts:
        identifier, canonical_id = _seen(marts, asked)
        other, other_id = _seen(marts, asked_other)
        if identifier == other:
            raise ConfigError(f"{identifier}: named twice", fix="name two identifiers")
        nodes = _node(marts, identifier), _node(marts, other)
        hops, demotions = [], []
        if canonical_id is not None and canonical_id == other_id:
            hops = _chain(marts, canonical_id, *nodes)
        else:
            demotions = _demotions(marts, nodes)
        return Explanation(
            identifier=identifier,
            other=other,
            canonical_id=canonical_id,
            other_canonical_id=other_id,
            hops=hops,
            demotions=demotions,
        )


def _seen(marts: Marts, asked: str) -> tuple[Identifier, str | None]:
    found = find_identifier(marts, asked)
    if found is None:
        raise unknown(marts, asked)
    return found


def _node(marts: Marts, identifier: Identifier) -> int:
    [row] = marts.ask(_NODE, type=identifier.type, value=identifier.value)
    return int(row["node"])


def _chain(marts: Marts, canonical_id: str, start: int, end: int) -> list[Hop]:
    asked = (_LINKS, _MERGED)
    links = [Link(*row.values()) for sql in asked for row in marts.ask(sql, id=canonical_id)]
    chain = shortest_chain(links, start, end)
    if chain is None:
        raise LoaderError(
            f"profile {canonical_id}: its evidence does not lead from one to the other: the tables "
            "are not of one transform",
            fix="run `headwater transform`; if that does not help, with `-- --full-refresh`",
        )
    return _hops(marts, chain)


def _hops(marts: Marts, chain: list[Link]) -> list[Hop]:
    """The chain with names: numbers of identifiers and events mean nothing to a person."""
    nodes = _list({node for link in chain for node in (link.node, link.linked_node)})
    rows = marts.ask(f"select node, type, value from int_identifiers where node in ({nodes})")
    names = {row["node"]: Identifier(row["type"], row["value"]) for row in rows}
    seqs = _list({link.seq for link in chain if link.seq is not None})
    events = {row["_seq"]: row for row in marts.ask(_EVENTS.format(seqs=seqs))} if seqs else {}
    hops = []
    for link in chain:
        event = events[link.seq] if link.seq is not None else {}
        hops.append(
            Hop(
                identifier=names[link.node],
                linked_identifier=names[link.linked_node],
                by="event" if event else "override",
                event_id=event.get("event_id"),
                event_type=event.get("event_type"),
                timestamp=event.get("timestamp"),
            )
        )
    return hops


def _demotions(marts: Marts, nodes: Collection[int]) -> list[Demotion]:
    return [
        Demotion(
            event_id=row["event_id"],
            event_type=row["event_type"],
            timestamp=row["timestamp"],
            demoted=Identifier(row["type"], row["value"]),
            reason=row["reason"],
        )
        for row in marts.ask(_TOGETHER.format(nodes=_list(nodes), limit=_NAMED))
    ]


def _list(numbers: Iterable[int]) -> str:
    return ", ".join(str(int(number)) for number in sorted(numbers))
