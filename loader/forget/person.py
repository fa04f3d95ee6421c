"""Who is to be forgotten: all that the marts know of whom an identifier belongs to."""

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from loader.config import Workspace
from loader.errors import ConfigError
from loader.event.envelope import Event
from loader.event.identifiers import EMAIL, Identifier, identifiers_of, normal
from loader.profile.marts import Marts, open_marts

_GROUP: Final = "group_id"  # of a company, which is nobody
_SEGMENT_ID: Final = "segment_id"  # before a colon: what follows is a profile's id
_KNOWN_TYPES: Final = frozenset(
    {
        *("user_id", "anonymous_id", EMAIL, "android.id", "android.idfa", "android.push_token"),
        *("ios.id", "ios.idfa", "ios.push_token", "ga_client_id"),
    }
)
_SHOWN: Final = 10


@dataclass(frozen=True)
class Person:
    """Whom `asked` meant: identifiers, the profile's ids, and the events that are its.

    Without a profile (nobody transformed their events yet) it is the identifiers alone.
    """

    asked: str
    identifiers: frozenset[Identifier]
    canonical_ids: frozenset[str] = frozenset()  # former ones too
    event_ids: frozenset[str] = frozenset()

    @property
    def values(self) -> frozenset[str]:
        """All that names the person, wherever it stands."""
        return self.canonical_ids | {identifier.value for identifier in self.identifiers}

    def has(self, event: Event) -> bool:
        """Whether `event`, whose ids are texts, carries one of the identifiers."""
        return not self.identifiers.isdisjoint(identifiers_of(event, self.types))

    @property
    def types(self) -> frozenset[str]:
        """Of which types there are identifiers."""
        return frozenset(identifier.type for identifier in self.identifiers)


def find_person(workspace: Workspace, asked: str) -> Person:
    """Whom `asked` means: `type:value`, a value of any type, or a profile's id, former ones too.

    What the marts don't know stands for itself. ConfigError where it means several profiles.
    """
    _check(workspace, asked)
    with open_marts(workspace, needed=()) as marts:
        if "user_identifiers" not in marts.tables:
            return Person(asked, _as_given(asked, _KNOWN_TYPES))
        known = {row["type"] for row in marts.ask("select distinct type from user_identifiers")}
        canonical_id = _canonical_id(marts, asked, known)
        if canonical_id is None:
            return Person(asked, _as_given(asked, _KNOWN_TYPES | known))
        return _profile(marts, asked, canonical_id)


def _check(workspace: Workspace, asked: str) -> None:
    try:
        asked.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{asked!a}: not UTF-8", fix="name it as it was sent") from None
    # To forget what is blocked would be to forget everybody whom it stands for.
    if _is_blocked(workspace, asked.rpartition(":")[2]):
        raise ConfigError(
            f"{asked}: a value that identifies nobody", fix="name another identifier of the person"
        )
    if not asked.strip():
        raise ConfigError("whom to forget is empty", fix="name an identifier, as in user_id:u-81")


def _is_blocked(workspace: Workspace, value: str) -> bool:
    for rule in workspace.config.identity.blocked:
        with suppress(re.error):  # the warehouse's expressions are not quite Python's
            if re.fullmatch(rule, value):
                return True
    return False


def _as_given(asked: str, known: frozenset[str]) -> frozenset[Identifier]:
    """What stands for itself: as `type:value` of a type that is known, else any that it may be."""
    type_, _, value = asked.partition(":")
    if value and type_ in known - {_GROUP}:
        return frozenset({normal(type_, value)})
    types = ["user_id", "anonymous_id", *([EMAIL] if "@" in asked else [])]
    return frozenset(normal(name, asked) for name in types)


def _canonical_id(marts: Marts, asked: str, known: set[str]) -> str | None:
    type_, _, value = asked.partition(":")
    if value and type_ in known:
        rows = marts.ask(_BY_TYPE, type=type_, value=normal(type_, value).value)
        return rows[0]["canonical_user_id"] if rows else None
    if value and type_ == _SEGMENT_ID:
        return _by_id(marts, value)
    rows = marts.ask(_BY_VALUE, value=asked, email=normal(EMAIL, asked).value)
    ids = {row["canonical_user_id"] for row in rows}
    if len(ids) > 1:
        told = [
            f"  {row['type']}:{row['value']}  of profile {row['canonical_user_id']}"
            for row in rows[:_SHOWN]
        ]
        raise ConfigError(
            "\n".join([f"{asked}: it may mean any of", *told]),
            fix=f"write the one you mean with its type, as in {rows[0]['type']}:{rows[0]['value']}",
        )
    return ids.pop() if ids else _by_id(marts, asked)


_BY_TYPE: Final = """
select canonical_user_id from user_identifiers where type = $type and value = $value
"""
_BY_VALUE: Final = f"""
select canonical_user_id, type, value from user_identifiers
where type <> '{_GROUP}' and (value = $value or (type = '{EMAIL}' and value = $email))
order by type, value
"""
_BY_ID: Final = "select canonical_user_id as id from user_identifiers where canonical_user_id = $id"
_BY_FORMER_ID: Final = "select canonical_segment_id as id from id_graph where segment_id = $id"
_IDENTIFIERS: Final = "select type, value from user_identifiers where canonical_user_id = $id"
_FORMER_IDS: Final = "select segment_id from id_graph where canonical_segment_id = $id"
_EVENTS: Final = "select id from events where canonical_user_id = $id"


def _by_id(marts: Marts, id_: str) -> str | None:
    rows = marts.ask(_BY_ID, id=id_)
    if not rows and "id_graph" in marts.tables:
        rows = marts.ask(_BY_FORMER_ID, id=id_)
    return rows[0]["id"] if rows else None


def _profile(marts: Marts, asked: str, canonical_id: str) -> Person:
    former = marts.ask(_FORMER_IDS, id=canonical_id) if "id_graph" in marts.tables else []
    identifiers = (
        Identifier(row["type"], row["value"]) for row in marts.ask(_IDENTIFIERS, id=canonical_id)
    )
    return Person(
        asked,
        frozenset(identifier for identifier in identifiers if identifier.type != _GROUP),
        frozenset({canonical_id, *(row["segment_id"] for row in former)}),
        frozenset(row["id"] for row in marts.ask(_EVENTS, id=canonical_id)),
    )
