"""One event's envelope brought into one form, whoever sent it.

Real SDKs differ: a type in the path only, ids that are null or numbers, PHP's `[]` for `{}`,
`originalTimestamp` instead of `timestamp`, times on the batch. After `normalise` all are alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from loader.event.naming import CALL_TABLES

Event = dict[str, Any]

MAX_EVENT_BYTES = 32 * 1024  # Segment's own limit for one event
BODY_FIELD: Final = {
    "track": "properties",
    "page": "properties",
    "screen": "properties",
    "identify": "traits",
    "group": "traits",
    "alias": "traits",
}
ID_FIELDS = ("userId", "anonymousId", "groupId", "previousId")
_OBJECT_FIELDS = ("properties", "traits", "context", "integrations")
# A call without `type` (an HTTP body whose path told it) is known by the field that only it has.
_TELLTALE = (
    ("event", "track"),
    ("previousId", "alias"),
    ("groupId", "group"),
    ("traits", "identify"),
)


@dataclass(frozen=True)
class Rejection:
    """Why an event can't be taken at all: a rule of ours, where it broke, and what to do."""

    rule: str
    path: str
    message: str


def split_batch(found: Event) -> Iterator[object]:
    """The events of `{"batch": […], "sentAt": …}`, each with what the batch says for all."""
    shared_context = found.get("context")
    for event in found["batch"]:
        if isinstance(event, dict):
            for field in ("sentAt", "receivedAt", "writeKey"):
                if event.get(field) is None and found.get(field) is not None:
                    event[field] = found[field]
            own = event.get("context") or {}
            if isinstance(shared_context, dict) and isinstance(own, dict):
                event["context"] = {**shared_context, **own}
        yield event


def is_batch(found: Event) -> bool:
    """Whether this is `{"batch": […]}` and not an event."""
    return isinstance(found.get("batch"), list) and "messageId" not in found


def normalise(event: Event, rescued: dict[str, Any]) -> Rejection | None:
    """Bring `event` into one form, in place; a Rejection says why it can't be an event of ours.

    What stands where an object or an id belongs and is neither goes to `rescued`, by JSON Pointer.
    """
    for field in _OBJECT_FIELDS:
        value = event.get(field)
        if type(value) is not dict:
            if value is not None and value != []:  # [] is PHP's empty array
                rescued[f"/{field}"] = value
            event[field] = {}
    for field in ID_FIELDS:
        value = event.get(field)
        if type(value) is not str and value is not None:
            event[field] = str(value) if type(value) in (int, float) else None
            if event[field] is None:
                rescued[f"/{field}"] = value
    call = event.get("type")
    if not isinstance(call, str) or call not in CALL_TABLES:
        call = _guess_call(event, call)
        if call is None:
            return _unknown_call(event.get("type"))
        event["type"] = call
    if not event.get("userId") and not event.get("anonymousId"):
        return _NO_IDENTITY
    if call == "track":
        name = event.get("event")
        if not isinstance(name, str) or not name.strip():
            return Rejection(
                "no_event", "$.event", f"{name!r} is not an event's name; send a text, not empty"
            )
    return None


_NO_IDENTITY = Rejection(
    "no_identity",
    "$",
    'neither userId nor anonymousId is there (null and "" count as none); send one as a string',
)


def _guess_call(event: Event, call: object) -> str | None:
    if call is None or call == "":
        return next((guess for field, guess in _TELLTALE if event.get(field)), None)
    return call.lower() if isinstance(call, str) and call.lower() in CALL_TABLES else None


def _unknown_call(call: object) -> Rejection:
    wanted = ", ".join(CALL_TABLES)
    return Rejection("malformed", "$.type", f"{call!r} is not a call; wanted one of {wanted}")
