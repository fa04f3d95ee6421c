"""What identifies the user of an event beside userId and anonymousId.

The same places as in the model int_event_identifiers: what is let in here has to be a user there.
"""

from typing import Any, Final

_LONGEST: Final = 500  # characters of an identifier; a longer one identifies nobody
_LONGEST_TYPE: Final = 100
_MOST_EXTERNAL_IDS: Final = 100


def is_identified_otherwise(event: dict[str, Any]) -> bool:
    """Whether an event, its envelope normalised, has an e-mail address or an external id.

    An address is traits.email of identify, or context.traits.email; an external id is an entry of
    context.externalIds with all four of its keys. An alias call identifies by its ids alone.
    """
    if event["type"] == "alias":
        return False
    context = event["context"]
    traits = context.get("traits")
    addresses = [
        event["traits"].get("email") if event["type"] == "identify" else None,
        traits.get("email") if isinstance(traits, dict) else None,
    ]
    if any(isinstance(address, str) and _is_value(address) for address in addresses):
        return True
    external_ids = context.get("externalIds")
    return isinstance(external_ids, list) and any(
        map(_is_external_id, external_ids[:_MOST_EXTERNAL_IDS])
    )


def _is_external_id(found: object) -> bool:
    """Whether it is an id of a user: {id, type, collection: users, encoding: none}."""
    if not isinstance(found, dict) or found.get("collection") != "users":
        return False
    kind, value = found.get("type"), found.get("id")
    if not isinstance(kind, str) or not 0 < len(kind.strip()) <= _LONGEST_TYPE:
        return False
    is_scalar = isinstance(value, str | int | float) and not isinstance(value, bool)
    is_users = kind.strip().lower() != "group_id" and found.get("encoding") == "none"
    return is_users and is_scalar and _is_value(str(value))


def _is_value(text: str) -> bool:
    return bool(text.strip()) and len(text) <= _LONGEST
