"""What a sync reads: its model or audience as one SELECT, every name checked and quoted."""

from collections.abc import Iterable, Mapping

from loader.config import SyncConfig, nearest
from loader.errors import ConfigError
from loader.sync.json_object import object_sql
from loader.sync.marts import Marts, Source, ToJson

_USER = "canonical_user_id"
_AUDIENCE_FIELDS = ("user_id", "email")
_MEMBERSHIPS = "audience_memberships"


def find_source(marts: Marts, name: str, sync: SyncConfig) -> Source:
    """The rows of a sync as a query of the marts.

    ConfigError names the nearest model, audience or column for one that does not exist.
    """
    relation, columns = (
        _audience(marts, name, sync.audience) if sync.audience else _model(marts, name, sync)
    )
    key, fields = _mapping(sync, columns)
    known = f"the {'audience' if sync.audience else 'model'} {sync.audience or sync.model!r}"
    for part, mapping in (("key", key), ("fields", fields)):
        for target, column in mapping.items():
            if column not in columns:
                where = f"headwater.yml: syncs.{name}.{part}.{target}"
                raise unknown(f"{where}: {known} has no column {column!r}", column, columns)
    values = {
        column: to_json(f"relation.{marts.quote(column)}") for column, to_json in columns.items()
    }
    null_key = " ".join(
        f"when {values[column]} is null then {marts.text(target)}" for target, column in key.items()
    )
    keys, members = (
        object_sql({target: values[column] for target, column in mapping.items()}, marts.text)
        for mapping in (key, fields)
    )
    rows = (
        f"select {keys} as key, {members} as fields, case {null_key} end as null_key "
        f"from {relation} as relation"
    )
    flags = [target for target, column in fields.items() if column == sync.audience]
    return Source(rows, flags[0] if sync.audience else None)


def unknown(message: str, word: str, known: Iterable[str]) -> ConfigError:
    """The error for a name that does not exist; its fix names the nearest that does."""
    names = sorted(known)
    guess = nearest(word, names)
    fix = f"did you mean {guess!r}?" if guess else f"known: {', '.join(names) or 'none'}"
    return ConfigError(message, fix=fix)


def _model(marts: Marts, name: str, sync: SyncConfig) -> tuple[str, Mapping[str, ToJson]]:
    """What FROM names for a model, and the columns of it."""
    model = sync.model or ""
    known = marts.tables()
    if model not in known:
        where = f"headwater.yml: syncs.{name}.model"
        raise unknown(f"{where}: {model!r} is not in the warehouse", model, known)
    return marts.table(model), marts.columns(model)


def _audience(marts: Marts, name: str, audience: str) -> tuple[str, Mapping[str, ToJson]]:
    """Everybody who ever was a member, with their traits and whether they are one now.

    So a user who leaves is a changed row, not a missing one.
    """
    known = {
        table.removeprefix("audience_")
        for table in marts.tables()
        if table.startswith("audience_") and table != _MEMBERSHIPS
    }
    if audience not in known:
        where = f"headwater.yml: syncs.{name}.audience"
        raise unknown(f"{where}: {audience!r} is not in the warehouse", audience, known)
    traits = {
        trait: to_json
        for trait, to_json in marts.columns("users").items()
        if trait not in {_USER, audience}
    }
    selected = ", ".join(
        [
            f"members.{_USER}",
            *(f"users.{marts.quote(trait)}" for trait in traits),
            f"members.is_member as {marts.quote(audience)}",
        ]
    )
    rows = (
        f"(select {selected} from ("
        f"select {_USER}, {marts.any_true('exited_at is null')} as is_member "
        f"from {marts.table(_MEMBERSHIPS)} where audience = {marts.text(audience)} "
        f"group by {_USER}) as members "
        f"left join {marts.table('users')} as users on users.{_USER} = members.{_USER})"
    )
    user = marts.columns(_MEMBERSHIPS)[_USER]
    return rows, {_USER: user, **traits, audience: marts.boolean}


def _mapping(
    sync: SyncConfig, columns: Iterable[str]
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The columns behind key and fields: as configured, or what stands in for nothing said."""
    if sync.audience is None:
        others = [column for column in columns if column not in sync.key.values()]
        return sync.key, sync.fields or {column: column for column in others}
    fields = sync.fields or {field: field for field in _AUDIENCE_FIELDS if field in columns}
    if sync.audience not in fields.values():
        fields = {**fields, sync.audience: sync.audience}
    return sync.key or {_USER: _USER}, fields
