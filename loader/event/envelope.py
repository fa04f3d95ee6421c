"""One event's envelope brought into one form, whoever sent it.

Real SDKs differ: a type in the path only, ids that are null or numbers, PHP's `[]` for `{}`,
`originalTimestamp` instead of `timestamp`, times on the batch. After `normalise` all are alike.
"""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from loader.event.identified import is_identified_otherwise
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


CLIENT_LIBRARIES: Final = frozenset(
    {
        *("analytics.js", "analytics-ios", "analytics-android", "analytics-swift"),
        *("analytics-kotlin", "analytics-react-native", "@segment/analytics-react-native"),
        *("analytics-flutter", "analytics_flutter"),
    }
)


@dataclass(frozen=True)
class Rejection:
    """Why an event can't be taken at all: a rule of ours, where it broke, and what to do."""

    rule: str
    path: str
    message: str


class Shared(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What a request says for all of its events; the archive keeps it beside each.

    `received_at` is what a batch in a file states. `type` is the call that the path named; `ip` is
    set where it is to be the event's, unless that states its own.
    """

    sent_at: Any = None
    received_at: Any = None
    context: Any = None
    integrations: Any = None
    type: str | None = None
    ip: str | None = None


def share(event: Event, shared: Shared, rescued: dict[str, Any]) -> None:
    """Give `event` what its request says for all, where it says nothing itself.

    What stands in the event where an object belongs goes to `rescued`, as `normalise` has it.
    """
    if event.get("sentAt") is None and shared.sent_at is not None:
        event["sentAt"] = shared.sent_at
    if event.get("receivedAt") is None and shared.received_at is not None:
        event["receivedAt"] = shared.received_at
    for field, value in (("context", shared.context), ("integrations", shared.integrations)):
        if isinstance(value, dict):
            event[field] = {**value, **_object(event, field, rescued)}
    if shared.type is not None and _call_of(event) is None:
        event["type"] = shared.type
    if shared.ip is not None:
        own = _object(event, "context", rescued)
        if not own.get("ip"):
            event["context"] = {**own, "ip": shared.ip}


def comes_from_client(event: Event) -> bool:
    """Whether the event says that an app sent it itself: then the sender's address is its user's.

    A server's address says nothing of a user.
    """
    context = event.get("context")
    if not isinstance(context, dict):
        return False
    library = context.get("library")
    name = library.get("name") if isinstance(library, dict) else None
    return context.get("direct") is True or (isinstance(name, str) and name in CLIENT_LIBRARIES)


def normalise(event: Event, rescued: dict[str, Any]) -> Rejection | None:
    """Bring `event` into one form, in place; a Rejection says why it can't be an event of ours.

    What stands where an object or an id belongs and is neither goes to `rescued`, by JSON Pointer.
    """
    for field in _OBJECT_FIELDS:
        event[field] = _object(event, field, rescued)
    for field in ID_FIELDS:
        value = event.get(field)
        if type(value) is not str and value is not None:
            event[field] = str(value) if type(value) in (int, float) else None
            if event[field] is None:
                rescued[f"/{field}"] = value
    call = _call_of(event) or _guess_call(event)
    if call is None:
        return _unknown_call(event.get("type"))
    event["type"] = call
    if not (event.get("userId") or event.get("anonymousId") or is_identified_otherwise(event)):
        return _NO_IDENTITY
    if call == "track":
        name = event.get("event")
        if not isinstance(name, str) or not name.strip():
            return Rejection(
                "no_event", "$.event", f"{name!r} is not an event's name; send a text, not empty"
            )
    return None


def _object(event: Event, field: str, rescued: dict[str, Any]) -> dict[str, Any]:
    """The object in `field`, an empty one where none is; what stands there instead is rescued."""
    value = event.get(field)
    if type(value) is dict:
        return value
    if value is not None and value != []:  # [] is PHP's empty array
        rescued[f"/{field}"] = value
    return {}


_NO_IDENTITY = Rejection(
    "no_identity",
    "$",
    'neither userId nor anonymousId is there (null and "" count as none), nor an e-mail address or '
    "an external id that identifies the user; send one of them as a string",
)


def _call_of(event: Event) -> str | None:
    """The call that the event names as its type; None if that is no call."""
    call = event.get("type")
    if not isinstance(call, str):
        return None
    return call if call in CALL_TABLES else call.lower() if call.lower() in CALL_TABLES else None


def _guess_call(event: Event) -> str | None:
    """The call of an event without a type; None if there is one, or nothing tells."""
    if event.get("type") not in (None, ""):
        return None
    return next((guess for field, guess in _TELLTALE if event.get(field)), None)


def _unknown_call(call: object) -> Rejection:
    wanted = ", ".join(CALL_TABLES)
    return Rejection("malformed", "$.type", f"{call!r} is not a call; wanted one of {wanted}")
