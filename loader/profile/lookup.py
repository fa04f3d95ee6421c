"""Whose identifier that is: what a person typed, found in the marts."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from loader.errors import ConfigError, LoaderError
from loader.event.identifiers import Identifier
from loader.profile.marts import Marts

_SEGMENT_ID: Final = "segment_id"  # before a colon: what follows is a profile's id
_SHOWN: Final = 10
_IS_VALUE: Final = "(value = $value or (type = 'email' and value = lower(trim($value, ' '))))"
_IDENTIFIERS: Final = """
with seen as (
    select type, value from int_identifiers where {condition}
),

attached as (
    select type, value, canonical_user_id from user_identifiers where {condition}
)

select seen.type, seen.value, attached.canonical_user_id
from seen
left join attached on attached.type = seen.type and attached.value = seen.value
order by seen.type, seen.value
"""
_DEMOTIONS: Final = """
select reason, event_id, event_type, canonical_user_id
from identity_demoted
where type = $type and value = $value
qualify row_number() over (partition by reason order by timestamp, event_id) = 1
order by reason
"""
REASONS: Final = {  # of a demotion
    "limit": "the profile would have had too many of a type",
    "full": "the profile takes no more",
    "override": "a row of identity_overrides.csv takes it out",
}


@dataclass(frozen=True)
class Match:
    """What was asked for: an identifier that was seen, or a segment_id; and its profile.

    Without a profile the identifier was carried by events, but identified nobody.
    """

    canonical_id: str | None
    identifier: Identifier | None = None
    segment_id: str | None = None

    @property
    def name(self) -> str:
        """That it and nothing else goes by."""
        return str(self.identifier or f"{_SEGMENT_ID}:{self.segment_id}")


def find_profile(marts: Marts, asked: str) -> Match:
    """The profile that `asked` means: `type:value`, a value of any type, or a (former) segment_id.

    Raises ConfigError where it means several profiles, LoaderError where none: it says whether a
    rule blocks the value or events carried it in vain.
    """
    matches = find(marts, asked)
    profiles = {match.canonical_id: match for match in reversed(matches) if match.canonical_id}
    if len(profiles) > 1:
        raise _ambiguous(asked, matches)
    if profiles:
        [match] = profiles.values()
        return match
    for match in matches:
        if match.identifier:
            raise _in_vain(marts, match.identifier)
    raise unknown(marts, asked)


def find_identifier(marts: Marts, asked: str) -> tuple[Identifier, str | None] | None:
    """The identifier that `asked` means and its profile's id, if it has a profile.

    None if no event carried it; errors as `find_profile`, ConfigError for a profile's id.
    """
    matches = find(marts, asked)
    found = [match for match in matches if match.identifier]
    if len(found) > 1:
        raise _ambiguous(asked, found)
    for match in found:
        if match.identifier:
            return match.identifier, match.canonical_id
    if matches:
        raise ConfigError(
            f"{asked}: a profile's id; wanted one of its identifiers",
            fix=f"`headwater profile show {asked}` lists them",
        )
    return None


def find(marts: Marts, asked: str) -> list[Match]:
    """All that `asked` may mean; as `type:value` it means nothing else."""
    _check(asked)
    type_, _, value = asked.partition(":")
    if type_ == _SEGMENT_ID and (found := _by_id(marts, value)):
        return found
    if value and (found := _by_value(marts, value, type_)):
        return found
    return [*_by_value(marts, asked), *_by_id(marts, asked)]


def unknown(marts: Marts, asked: str) -> LoaderError:
    """What to say of `asked`, which no event carried as an identifier."""
    rule = _blocking_rule(marts, asked)
    if rule is not None:
        return LoaderError(
            f"{asked}: a blocked value (rule {rule!r}): it identifies nobody",
            fix="name another identifier; `identity.blocked` in headwater.yml says what is blocked",
        )
    return LoaderError(
        f"{asked}: no profile has that identifier or id",
        fix=f"write type:value ({_types(marts)}), a value alone, or a segment_id; events that were "
        "loaded since the last `headwater transform` are in no profile yet",
    )


def _check(asked: str) -> None:
    try:
        asked.encode()
    except UnicodeEncodeError:
        raise ConfigError(
            f"{asked!a}: not UTF-8", fix="name the identifier as it was sent"
        ) from None


def _by_value(marts: Marts, value: str, type_: str | None = None) -> list[Match]:
    given = {"value": value} if type_ is None else {"value": value, "type": type_}
    condition = _IS_VALUE if type_ is None else f"type = $type and {_IS_VALUE}"
    return [
        Match(row["canonical_user_id"], identifier=Identifier(row["type"], row["value"]))
        for row in marts.ask(_IDENTIFIERS.format(condition=condition), **given)
    ]


def _by_id(marts: Marts, segment_id: str) -> list[Match]:
    sql = "select distinct canonical_segment_id from id_graph where segment_id = $id"
    rows = marts.ask(sql, id=segment_id)
    return [Match(row["canonical_segment_id"], segment_id=segment_id) for row in rows]


def _ambiguous(asked: str, matches: Sequence[Match]) -> ConfigError:
    told = [f"  {match.name}  of profile {match.canonical_id or '(none)'}" for match in matches]
    more = [f"  … and {len(told) - _SHOWN} more"] if len(told) > _SHOWN else []
    return ConfigError(
        "\n".join([f"{asked}: it may mean any of", *told[:_SHOWN], *more]),
        fix=f"write the one you mean with its type, as in {matches[0].name}",
    )


def _in_vain(marts: Marts, identifier: Identifier) -> LoaderError:
    rows = marts.ask(_DEMOTIONS, type=identifier.type, value=identifier.value)
    told = [
        f"  {row['reason']} ({REASONS.get(row['reason'], 'see identity_demoted')}), first in "
        f"{row['event_type']} {row['event_id']} of profile {row['canonical_user_id']}"
        for row in rows
    ]
    return LoaderError(
        "\n".join([f"{identifier}: events carried it, but it identified nobody", *told]),
        fix="`headwater profile show` takes another identifier of such an event, or the profile",
    )


def _blocking_rule(marts: Marts, asked: str) -> str | None:
    """The rule, as of the last transform, that blocks the value; None without one."""
    if "int_identity_rules" not in marts.tables:
        return None
    values = {asked, asked.partition(":")[2]} - {""}
    for row in marts.ask("select rules from int_identity_rules"):
        for rule in json.loads(row["rules"])["blocked"]:
            with suppress(re.error):  # the warehouse's expressions are not quite Python's
                if any(re.fullmatch(rule, value) for value in values):
                    return str(rule)
    return None


def _types(marts: Marts) -> str:
    found = marts.ask("select distinct type from int_identifiers order by type")
    return ", ".join(row["type"] for row in found[:_SHOWN]) or "none were seen yet"
