"""Violations as events: Segment's track event `Violation Generated`, for who asked for it.

Each is made from one row of raw.violations and has an id that follows from it, so that the same
violation is one event however often it comes. Nobody sent them: they are held to no contract.
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from loader.contracts import Contracts
from loader.event.envelope import Event
from loader.event.values import parse_moment
from loader.ledger import IdIndex, keys_of
from loader.load.intake import Candidate

NAME: Final = "Violation Generated"
USER_ID: Final = "schema-violations"
_ID_PREFIX: Final = "violation-"
_PLAN: Final = "schemas"  # a workspace has one tracking plan, its folder of contracts
_TYPES: Final = {"required": "Required", "type": "Invalid Type"}  # as Segment calls them


def new_events(
    rows: Sequence[tuple[Candidate, dict[str, Any]]], contracts: Contracts, accepted: IdIndex
) -> list[tuple[Event, str]]:
    """The events that tell of new rows of raw.violations, each with its source, if that wants it.

    From now on they are `accepted`; those that were so before are left out.
    """
    told = {
        event["messageId"]: (event, candidate.source)
        for candidate, row in rows
        if contracts.policy_of(candidate.source).violation_events
        for event in [violation_event(candidate.event, row)]
    }
    keys = keys_of(told)
    is_new = ~accepted.contains(keys)
    accepted.add(keys[is_new])
    return [found for found, is_wanted in zip(told.values(), is_new, strict=True) if is_wanted]


def violation_event(event: Event, row: dict[str, Any]) -> Event:
    """The event that tells of `row` of raw.violations, which is about `event` ({}: no event).

    `sourceID` is not among its properties: the column `source_id` says it.
    """
    told = "\0".join((row["message_id"], row["rule"], row["path"], row["action"]))
    field = row["path"].removeprefix("$").removeprefix(".") or "(root)"
    received_at = row["received_at"].isoformat()
    app = event.get("context", {}).get("app")
    properties = {
        "appVersion": app.get("version") if isinstance(app, dict) else None,
        "eventMessageID": row["message_id"],
        "eventName": row["event"] or event.get("name"),
        "eventSentAt": _moment(event.get("sentAt")),
        "eventTimestamp": _moment(event.get("timestamp")),
        "eventType": row["type"],
        "sourceName": row["source_id"],
        "sourceSlug": row["source_id"],
        "trackingPlanID": _PLAN,
        "trackingPlanName": _PLAN,
        "violationDescription": f"{field} {row['message']}",
        "violationField": field,
        "violationType": _TYPES.get(row["rule"], row["rule"]),
    }
    return {
        "messageId": f"{_ID_PREFIX}{sha256(told.encode()).hexdigest()[:32]}",
        "type": "track",
        "event": NAME,
        "userId": USER_ID,
        "receivedAt": received_at,
        "timestamp": received_at,
        "context": {},
        "properties": {key: value for key, value in properties.items() if value is not None},
    }


def tells_of_violation(event: Event) -> bool:
    """Whether it is one of these: made by a load, not sent by anybody."""
    is_named = event.get("event") == NAME and event.get("userId") == USER_ID
    return is_named and str(event.get("messageId")).startswith(_ID_PREFIX)


def _moment(stated: object) -> str | None:
    moment: datetime | None = parse_moment(stated)
    return moment.isoformat() if moment else None
