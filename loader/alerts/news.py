"""What one or more loads brought that may be worth an alert."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

MAX_GROUPS: Final = 100  # of one load, told apart; what goes beyond is told as one number


@dataclass(frozen=True, slots=True)
class Broken:
    """Events that broke one rule, and one of them; `count` is of events, not of places in them."""

    event: str
    rule: str
    count: int
    sources: Sequence[str]
    first_seen_at: datetime
    last_seen_at: datetime
    path: str
    message: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Events of one source that were loaded or blocked, and how many broke their contract."""

    events: int
    violating: int


@dataclass(frozen=True, slots=True)
class News:
    """All loads up to `load_id`, as far as they were not told of yet.

    `broken` has the MAX_GROUPS largest groups, `others` the events of all the rest. `received`
    counts by source and hour (of the Unix epoch) of receipt; `has_counts` says whether that was
    looked at.
    """

    load_id: int
    broken: Sequence[Broken] = ()
    others: int = 0
    has_counts: bool = False
    loaded: Mapping[str, Counts] = field(default_factory=dict)
    received: Mapping[tuple[str, int], int] = field(default_factory=dict)
