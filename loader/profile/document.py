"""All that the warehouse knows of one profile, in one document."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from loader.config import Workspace
from loader.event.identifiers import Identifier
from loader.overrides import Override, read_overrides
from loader.profile.lookup import find_profile
from loader.profile.marts import Marts, Row, open_marts

_IDENTIFIERS: Final = """
select type, value, first_seen_at, last_seen_at
from user_identifiers
where canonical_user_id = $id
order by first_seen_at, type, value
"""
_FORMER_IDS: Final = """
select segment_id
from id_graph
where canonical_segment_id = $id and segment_id <> $id
order by segment_id
"""
_MERGES: Final = """
select
    merges.segment_id,
    merges.canonical_segment_id,
    merges.triggering_event_type,
    merges.triggering_event_id,
    merges.timestamp
from profile_merges as merges
inner join id_graph on id_graph.segment_id = merges.segment_id
where id_graph.canonical_segment_id = $id
order by merges.timestamp, merges.segment_id
"""
_SPLITS: Final = """
select segment_id, canonical_segment_id, split_at
from profile_splits
where segment_id = $id or canonical_segment_id = $id
order by split_at, segment_id
"""
_DEMOTED: Final = """
select
    type,
    value,
    reason,
    count(*) over (partition by type, value, reason) as events,
    event_id as first_event_id,
    event_type as first_event_type,
    timestamp as first_at
from identity_demoted
where canonical_user_id = $id
qualify row_number() over (partition by type, value, reason order by timestamp, event_id) = 1
order by type, value, reason
"""
_EVENTS: Final = """
select id, type, event_text, name, timestamp, received_at, source_id
from events
where canonical_user_id = $id
order by timestamp desc, received_at desc, id
limit {limit}
"""
_OVERRIDES: Final = """
select kind, type, value, other_type, other_value, created_at, note
from identity_overrides
order by created_at, kind, type, value, other_type, other_value
"""


@dataclass(frozen=True)
class Decision:
    """An override, and whether the models hold it, will hold it or hold it no longer."""

    kind: str
    identifier: Identifier
    other: Identifier | None
    created_at: str
    note: str
    state: Literal["in force", "from the next transform on", "until the next transform"]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One profile; rows are as the marts have them, without the profile's id."""

    asked: str
    canonical_id: str
    former_ids: list[str]
    former_id: str | None  # where `asked` is one; `merges` tells how it ended
    identifiers: list[Row]
    traits: list[Row]
    groups: list[Row]
    computed_traits: list[Row]
    audiences: list[Row]
    events: list[Row]  # the newest first
    merges: list[Row]
    splits: list[Row]
    demoted: list[Row]  # a row for each identifier and reason
    overrides: list[Decision]


def read_profile(workspace: Workspace, asked: str, *, max_events: int) -> Profile:
    """The profile that `asked` means, with its newest `max_events` events; errors as `open_marts`
    and `find_profile`.
    """
    decided = read_overrides(workspace)
    with open_marts(workspace) as marts:
        match = find_profile(marts, asked)
        canonical_id = str(match.canonical_id)
        identifiers = marts.ask(_IDENTIFIERS, id=canonical_id)
        demoted = marts.ask(_DEMOTED, id=canonical_id)
        named = {Identifier(row["type"], row["value"]) for row in (*identifiers, *demoted)}
        return Profile(
            asked=asked,
            canonical_id=canonical_id,
            former_ids=[row["segment_id"] for row in marts.ask(_FORMER_IDS, id=canonical_id)],
            former_id=match.segment_id if match.segment_id != canonical_id else None,
            identifiers=identifiers,
            traits=_rows_of(marts, "user_traits", canonical_id, "name, value, event_id, timestamp"),
            groups=_rows_of(marts, "group_memberships", canonical_id),
            computed_traits=_rows_of(marts, "computed_traits", canonical_id),
            audiences=_rows_of(marts, "audience_memberships", canonical_id),
            events=marts.ask(_EVENTS.format(limit=int(max_events)), id=canonical_id),
            merges=marts.ask(_MERGES, id=canonical_id),
            splits=marts.ask(_SPLITS, id=canonical_id),
            demoted=demoted,
            overrides=[it for it in decisions(marts, decided) if named & _ends(it)],
        )


def read_decisions(workspace: Workspace) -> list[Decision]:
    """Every override, in the order of the file; errors as `open_marts`."""
    decided = read_overrides(workspace)
    with open_marts(workspace) as marts:
        return decisions(marts, decided)


def decisions(marts: Marts, decided: Sequence[Override]) -> list[Decision]:
    """What the file says (`decided`), then what only the models of the last transform hold."""
    held = [_override(row) for row in marts.ask(_OVERRIDES)]
    known = {(override.kind, override.ends) for override in held}
    wanted = {(override.kind, override.ends) for override in decided}
    in_file = [
        _decision(
            override,
            "in force" if (override.kind, override.ends) in known else "from the next transform on",
        )
        for override in decided
    ]
    return in_file + [
        _decision(override, "until the next transform")
        for override in held
        if (override.kind, override.ends) not in wanted
    ]


def _rows_of(marts: Marts, table: str, canonical_id: str, columns: str = "*") -> list[Row]:
    """The profile's rows of a mart, all of whose columns may be asked for; none without it."""
    if table not in marts.tables:
        return []
    found = marts.ask(
        f"select {columns} from {table} where canonical_user_id = $id", id=canonical_id
    )
    rows = [{name: row[name] for name in row if name != "canonical_user_id"} for row in found]
    return sorted(rows, key=lambda row: [str(value) for value in row.values()])


def _override(row: dict[str, Any]) -> Override:
    other = Identifier(row["other_type"], row["other_value"]) if row["other_type"] else None
    return Override(
        kind=row["kind"],
        identifier=Identifier(row["type"], row["value"]),
        other=other,
        created_at=row["created_at"] or "",
        note=row["note"] or "",
    )


def _decision(override: Override, state: Any) -> Decision:
    return Decision(
        override.kind,
        override.identifier,
        override.other,
        override.created_at,
        override.note,
        state,
    )


def _ends(decision: Decision) -> set[Identifier]:
    return {decision.identifier, decision.other or decision.identifier}
