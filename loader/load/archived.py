"""Events of the archive, as the load that brought them had them before it judged them."""

from datetime import UTC, datetime
from typing import Any

from loader.archive import Archived
from loader.event.envelope import Event, normalise, share
from loader.event.parsing import parse
from loader.event.values import parse_moment
from loader.load.intake import Candidate
from loader.load.judge import Judge
from loader.load.violation_events import tells_of_violation

_TIMES = ("receivedAt", "sentAt", "timestamp", "originalTimestamp")  # the first that is one


def judged_anew(row: Archived, judge: Judge, *, loaded_at: datetime) -> Candidate | None:
    """The event as tables get it today, with what was rescued of it; None if they don't.

    `loaded_at` is its load's moment. What a load made itself, of a violation, is not judged.
    """
    candidate = _candidate(row, judge, loaded_at)
    if tells_of_violation(candidate.event):
        return candidate
    ruling = judge.rule(candidate)
    if ruling.event is None:
        return None
    candidate.event = ruling.event
    return candidate


def _candidate(row: Archived, judge: Judge, loaded_at: datetime) -> Candidate:
    text = row.raw.encode()
    event, _ = parse(text)
    judge.privacy.clean(event, text)
    event.pop("_metadata", None)
    rescued: dict[str, Any] = {}
    if (request := row.request) is not None:
        share(event, judge.privacy.clean_shared(request), rescued)
    if tells_of_violation(event):
        return Candidate(row.id, row.source_id, event)
    normalise(event, rescued)
    _restore_id(event, row.id, rescued)
    # What the collector stamped is nowhere in the event; what a file's event states, right or
    # wrong, came to the archived time as it will again.
    stated = filter(None, (parse_moment(event.get(field)) for field in _TIMES))
    if next(stated, loaded_at) != row.received_at:
        at = row.received_at.astimezone(UTC)
        event["receivedAt"] = f"{at.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
    return Candidate(row.id, row.source_id, event, rescued=rescued)


def _restore_id(event: Event, id_: str, rescued: dict[str, Any]) -> None:
    stated = event.get("messageId")
    is_number = isinstance(stated, int | float) and not isinstance(stated, bool)
    if stated != id_ and not is_number and (stated is False or stated):
        rescued["/messageId"] = stated
    event["messageId"] = id_
