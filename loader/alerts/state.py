"""What alerts remember from one load to the next: state/alerts.json, replaced as a whole."""

from collections.abc import Collection
from pathlib import Path

import msgspec

from loader.durable import replacing


class Pending(msgspec.Struct):
    """Events that broke one rule and were not told of yet, or the time of the last word on it.

    Times are Unix seconds. `told_at` is 0 before the first alert.
    """

    event: str
    rule: str
    count: int = 0
    held_back: int = 0  # of `count`: from loads before this one
    sources: list[str] = msgspec.field(default_factory=list)
    first_seen_at: float = 0
    last_seen_at: float = 0
    path: str = ""
    message: str = ""
    message_id: str = ""
    told_at: float = 0


class Told(msgspec.Struct):
    """What one alert of headwater.yml has to say and has said."""

    pending: list[Pending] = msgspec.field(default_factory=list)
    others: int = 0  # events of groups beyond those that are told apart
    others_told_at: float = 0
    rate_told_at: dict[str, float] = msgspec.field(default_factory=dict)  # by source
    volume_told_at: dict[str, float] = msgspec.field(default_factory=dict)


class AlertState(msgspec.Struct):
    """Up to which load alerts know everything, and what they count for their thresholds.

    `received` has events by source and hour of receipt, `loaded` the events and violating events
    by source and five minutes of loading; the hours and minutes are numbers since the Unix epoch.
    """

    load_id: int
    counted_load_id: int = 0  # of `received`, which looks back further when it begins
    received: dict[str, dict[int, int]] = msgspec.field(default_factory=dict)
    first_hours: dict[str, int] = msgspec.field(default_factory=dict)  # that were ever counted
    loaded: dict[str, dict[int, tuple[int, int]]] = msgspec.field(default_factory=dict)
    alerts: dict[str, Told] = msgspec.field(default_factory=dict)


def read_state(path: Path) -> AlertState | None:
    """The state as last written; None if there is none, or none that can be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=AlertState)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def write_state(path: Path, state: AlertState) -> None:
    """Make `state` what the next load finds; durable on return."""
    with replacing(path) as temporary:
        temporary.write_bytes(msgspec.json.encode(state))


def erase_messages(path: Path, message_ids: Collection[str]) -> int:
    """Let go of what waits to be told of these messages, all but that there were some; how many."""
    state = read_state(path)
    if state is None:
        return 0
    found = [
        pending
        for told in state.alerts.values()
        for pending in told.pending
        if pending.message_id in message_ids
    ]
    for pending in found:
        pending.message = pending.message_id = ""
    if found:
        write_state(path, state)
    return len(found)
