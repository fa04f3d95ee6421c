"""Corrections of profiles: which override a person means, and what will come of it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from loader.config import Workspace
from loader.errors import ConfigError, LoaderError
from loader.event.identifiers import Identifier
from loader.overrides import Kind, Override, read_overrides
from loader.profile.lookup import find_identifier
from loader.profile.marts import Marts, open_marts

_APART: Final = "What it held together comes apart, and gets back the ids that it had"
_SIZE: Final = "select count(*) as n from user_identifiers where canonical_user_id = $id"


def plan(
    workspace: Workspace, kind: Kind, asked: Sequence[str], note: str
) -> tuple[Override, list[str]]:
    """The override of the one or two identifiers `asked`, and what it comes to, for a person.

    Nothing is written. Raises ConfigError if an identifier is ambiguous, or unseen and without
    type; others as `open_marts`.
    """
    with open_marts(workspace) as marts:
        found = [_identifier(marts, each) for each in asked]
        identifiers = [identifier for identifier, _ in found]
        if len(set(identifiers)) < len(identifiers):
            raise ConfigError(f"{identifiers[0]}: named twice", fix="name two identifiers")
        told = [_told_of(marts, identifier, profile) for identifier, profile in found]
        outcome = _outcome(kind, identifiers, [profile for _, profile in found])
    override = Override(
        kind=kind,
        identifier=identifiers[0],
        other=identifiers[1] if len(identifiers) > 1 else None,
        created_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        note=note,
    )
    return override, [*told, outcome]


def find_override(workspace: Workspace, kind: Kind, asked: Sequence[str]) -> Override:
    """The row of that kind that names the identifiers `asked`, in any order.

    LoaderError if there is none, ConfigError if there are several.
    """
    rows = [row for row in read_overrides(workspace) if row.kind == kind]
    found: list[Override] = []
    for row in rows:
        is_known = any(row.is_same_as(known) for known in found)
        if not is_known and _names(row, asked):
            found.append(row)
    if not found:
        raise LoaderError(
            f"{' '.join(asked)}: no override of kind {kind} names it",
            fix="`headwater profile overrides` lists those that there are",
        )
    if len(found) > 1:
        told = "".join(f"\n  {row}" for row in found)
        raise ConfigError(
            f"{' '.join(asked)}: it may mean any of{told}",
            fix=f"write type:value, as in {found[0].identifier}",
        )
    return found[0]


def _names(row: Override, asked: Sequence[str]) -> bool:
    first, *others = asked
    if not others or row.other is None:
        return row.other is None and not others and row.identifier.is_named(first)
    [second] = others
    pairs = (row.identifier, row.other), (row.other, row.identifier)
    return any(one.is_named(first) and two.is_named(second) for one, two in pairs)


def _identifier(marts: Marts, asked: str) -> tuple[Identifier, str | None]:
    """The identifier, seen or to come, and its profile."""
    found = find_identifier(marts, asked)
    if found:
        return found
    type_, _, value = asked.partition(":")
    if not type_ or not value:
        raise ConfigError(
            f"{asked}: no event carried it so far, so its type is not known",
            fix=f"check the value, or write type:value, as in user_id:{asked}",
        )
    return Identifier(type_, value.strip().lower() if type_ == "email" else value), None


def _told_of(marts: Marts, identifier: Identifier, profile: str | None) -> str:
    if profile:
        [size] = marts.ask(_SIZE, id=profile)
        return f"{identifier}: of profile {profile}, which has {size['n']:,} identifiers"
    known = marts.ask(
        "select type from int_identifiers where type = $type and value = $value",
        type=identifier.type,
        value=identifier.value,
    )
    if known:
        return f"{identifier}: of no profile: events carried it, but it identified nobody"
    return f"warning: {identifier}: not seen yet; the row waits for an event that carries it"


def _outcome(kind: Kind, identifiers: Sequence[Identifier], profiles: Sequence[str | None]) -> str:
    first = identifiers[0]
    if kind == "split":
        return (
            f"{first} joins nobody any more: it counts only in events that carry it alone. {_APART}"
        )
    if kind == "block_identifier":
        return f"{first} identifies nobody, as if blocked from the first event on. {_APART}"
    if kind == "block_link":
        return (
            f"where one event carries both {first} and {identifiers[1]}, the one of lower priority "
            "does not count; other evidence may still make them one profile"
        )
    if profiles[0] and profiles[0] == profiles[1]:
        return f"{first} and {identifiers[1]} are one profile already, and stay one by this row"
    when = "" if all(profiles) else "as soon as each of them has one, "
    return (
        f"{when}the profiles of {first} and {identifiers[1]} become one, whatever the limits say; "
        "the id of the older one stays, the other becomes a former id"
    )
