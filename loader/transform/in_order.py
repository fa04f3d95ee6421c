"""A function of DuckDB's for dbt: identity resolved one event after another.

What dbt_project/macros/identity/rounds.sql does for all events at once takes a round for each event
that waits for another one. A chain of events that are linked one by one, and break limits, would
take as many rounds as it has events; after some the rest is resolved here, by the same rules.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

Row = Mapping[str, Any]

_OUTCOME: Final = (
    "struct(kind varchar, _seq bigint, node bigint, profile bigint, into_profile bigint,"
    " attached_at bigint, reason varchar)"
)
_PARAMETERS: Final = (
    "struct(_seq bigint, attached_at bigint, token bigint, node bigint, rank bigint, place bigint)"
    "[]",
    "struct(token bigint, rank bigint, attached_at bigint)[]",
    "struct(token bigint, merges bigint)[]",
    "struct(rank bigint, max_values bigint, window_microseconds bigint)[]",
    "bigint",
    "bigint",
)


class Plugin(BasePlugin):
    """What profiles.yml names, so that dbt's connections have the function."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Give `conn` the function resolve_in_order."""
        conn.create_function(
            "resolve_in_order",
            resolve_in_order,
            [conn.type(kind) for kind in _PARAMETERS],
            conn.type(f"{_OUTCOME}[]"),
        )


def resolve_in_order(  # noqa: PLR0917 - SQL gives them by place
    events: Sequence[Row],
    members: Iterable[Row],
    merged: Iterable[Row],
    types: Iterable[Row],
    max_mappings: int,
    max_merges: int,
) -> list[dict[str, Any]]:
    """The outcomes, as int_identity_log has them, of `events`: one row for each token, in order of
    `_seq`, rank and place.

    A token is a profile, or minus a node that belongs to none. `members` and `merged` tell what the
    profiles hold and how many merges made them.
    """
    limits = {row["rank"]: (row["max_values"], row["window_microseconds"]) for row in types}
    profiles = _Profiles(limits, max_mappings, max_merges)
    for row in members:
        profiles.held[row["token"]][row["rank"]].append(row["attached_at"])
    for row in merged:
        profiles.merges[row["token"]] = row["merges"]
    return [
        {"_seq": seq, **outcome}
        for seq, rows in groupby(events, itemgetter("_seq"))
        for outcome in profiles.resolve(seq, list(rows))
    ]


@dataclass
class _Profiles:
    limits: Mapping[int, tuple[int, int | None]]  # rank -> values, microseconds
    max_mappings: int
    max_merges: int
    held: defaultdict[int, defaultdict[int, list[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )  # profile -> rank -> when each value was attached
    merges: dict[int, int] = field(default_factory=dict)
    into: dict[int, int] = field(
        default_factory=dict
    )  # token -> the profile that it became part of

    def resolve(self, seq: int, rows: list[Row]) -> Iterator[dict[str, Any]]:
        """What comes of the event `seq`."""
        at = rows[0]["attached_at"]
        tokens = [self._current(row["token"]) for row in rows]
        while self._is_crowded(rows, tokens, at):
            yield _outcome("demote", node=rows.pop()["node"], reason="limit")
            tokens.pop()
        found = sorted({token for token in tokens if token >= 0})
        profile = found[0] if found else seq
        if self._is_full(found, sum(token < 0 for token in tokens)):
            for row, token in zip(rows, tokens, strict=True):
                if token != profile:
                    yield _outcome("demote", node=row["node"], reason="full")
        else:
            for absorbed in found[1:]:
                self._merge(absorbed, profile)
                yield _outcome("merge", profile=absorbed, into_profile=profile)
            for row, token in zip(rows, tokens, strict=True):
                if token < 0:
                    self.held[profile][row["rank"]].append(at)
                    self.into[token] = profile
                    yield _outcome("attach", node=row["node"], profile=profile, attached_at=at)
        yield _outcome("event", profile=profile)

    def _current(self, token: int) -> int:
        """The profile that the token stands for by now, or the token itself."""
        path = []
        while token in self.into:
            path.append(token)
            token = self.into[token]
        for passed in path:
            self.into[passed] = token
        return token

    def _is_crowded(self, rows: Sequence[Row], tokens: Sequence[int], at: int) -> bool:
        """Whether the event's profiles and new identifiers together break a limit."""
        if len(set(tokens)) == 1:
            return False
        counts: defaultdict[int, int] = defaultdict(int)
        for row, token in zip(rows, tokens, strict=True):
            if token < 0:
                counts[row["rank"]] += 1
        for token in {token for token in tokens if token >= 0}:
            for rank, times in self.held[token].items():
                window = self.limits[rank][1]
                counts[rank] += (
                    len(times) if window is None else sum(time > at - window for time in times)
                )
        return any(count > self.limits[rank][0] for rank, count in counts.items())

    def _is_full(self, found: Sequence[int], new: int) -> bool:
        """Whether the profiles `found` may neither take `new` identifiers more nor be merged."""
        if not found or (len(found) == 1 and not new):
            return False
        mappings = sum(len(times) for token in found for times in self.held[token].values())
        merges = [self.merges.get(token, 0) for token in found]
        return (
            mappings + new > self.max_mappings
            or sum(merges) + len(found) - 1 > self.max_merges
            or max(merges) >= self.max_merges
        )

    def _merge(self, absorbed: int, profile: int) -> None:
        fewer, more = sorted(
            (self.held.pop(absorbed), self.held[profile]),
            key=lambda held: sum(len(times) for times in held.values()),
        )
        for rank, times in fewer.items():
            more[rank] += times
        self.held[profile] = more
        self.merges[profile] = self.merges.get(profile, 0) + self.merges.pop(absorbed, 0) + 1
        self.into[absorbed] = profile


def _outcome(
    kind: str,
    *,
    node: int | None = None,
    profile: int | None = None,
    into_profile: int | None = None,
    attached_at: int | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    return {
        "kind": kind,
        "node": node,
        "profile": profile,
        "into_profile": into_profile,
        "attached_at": attached_at,
        "reason": reason,
    }
