"""What a sync reads: its model or audience as one SELECT, every name checked and quoted."""

from collections.abc import Iterable, Mapping

from duckdb import DuckDBPyConnection
from duckdb.sqltypes import DuckDBPyType

from loader.config import SyncConfig, nearest
from loader.errors import ConfigError
from loader.protocol import encode_json
from loader.sync.json_sql import json_sql, object_sql
from loader.warehouse.views import quote, text

_MARTS = "warehouse.analytics"
_USER = "canonical_user_id"
_AUDIENCE_FIELDS = ("user_id", "email")


def source_query(connection: DuckDBPyConnection, name: str, sync: SyncConfig) -> str:
    """The SELECT of a sync's rows: `key` and `fields` as JSON texts, and `null_key`.

    `null_key` names the key field without a value, if any. ConfigError names the nearest model,
    audience or column for one that does not exist.
    """
    relation = (
        _audience(connection, name, sync) if sync.audience else _model(connection, name, sync)
    )
    kinds = _columns(connection, relation)
    key, fields = _mapping(sync, kinds)
    known = f"the {'audience' if sync.audience else 'model'} {sync.audience or sync.model!r}"
    for part, mapping in (("key", key), ("fields", fields)):
        for target, column in mapping.items():
            if column not in kinds:
                where = f"headwater.yml: syncs.{name}.{part}.{target}"
                raise unknown(f"{where}: {known} has no column {column!r}", column, kinds)
    keys = {target: json_sql(quote(column), kinds[column]) for target, column in key.items()}
    members = {target: json_sql(quote(column), kinds[column]) for target, column in fields.items()}
    null_key = " ".join(f"when {value} is null then {text(item)}" for item, value in keys.items())
    rows = (
        f"select {object_sql(keys)} as key, {object_sql(members)} as fields, "
        f"case {null_key} end as null_key from ({relation}) as relation"
    )
    if sync.audience is None:
        return rows
    flag = next(target for target, column in fields.items() if column == sync.audience)
    return f"with present as ({rows}) from present union all {_departed(flag)}"


def _departed(flag: str) -> str:
    """Who was told to be a member and is no longer known as one, told to be none.

    An order that was corrected, or a merge into an older user, takes a row out of the audience.
    """
    member, none = (f"{encode_json(flag).decode()}:{value}" for value in ("true", "false"))
    return (
        f"select key, replace(fields, {text(member)}, {text(none)}), null from state.accepted "
        f"where key not in (select key from present)"
    )


def unknown(message: str, word: str, known: Iterable[str]) -> ConfigError:
    """The error for a name that does not exist; its fix names the nearest that does."""
    names = sorted(known)
    guess = nearest(word, names)
    fix = f"did you mean {guess!r}?" if guess else f"known: {', '.join(names) or 'none'}"
    return ConfigError(message, fix=fix)


def _model(connection: DuckDBPyConnection, name: str, sync: SyncConfig) -> str:
    model = sync.model or ""
    known = _relations(connection)
    if model not in known:
        where = f"headwater.yml: syncs.{name}.model"
        raise unknown(f"{where}: {model!r} is not in the warehouse", model, known)
    return f"select * from {_MARTS}.{quote(model)}"


def _audience(connection: DuckDBPyConnection, name: str, sync: SyncConfig) -> str:
    """Everybody who ever was a member, with their traits and whether they are one now.

    So a user who leaves is a changed row, not a missing one.
    """
    audience = sync.audience or ""
    known = {
        relation.removeprefix("audience_")
        for relation in _relations(connection)
        if relation.startswith("audience_") and relation != "audience_memberships"
    }
    if audience not in known:
        where = f"headwater.yml: syncs.{name}.audience"
        raise unknown(f"{where}: {audience!r} is not in the warehouse", audience, known)
    users = _columns(connection, f"select * from {_MARTS}.users")
    traits = [f"users.{quote(trait)}" for trait in users if trait not in {_USER, audience}]
    selected = ", ".join([f"members.{_USER}", *traits, f"members.is_member as {quote(audience)}"])
    return (
        f"select {selected} from ("
        f"select {_USER}, bool_or(exited_at is null) as is_member "
        f"from {_MARTS}.audience_memberships where audience = {text(audience)} group by {_USER}"
        f") as members left join {_MARTS}.users as users on users.{_USER} = members.{_USER}"
    )


def _mapping(
    sync: SyncConfig, columns: Mapping[str, DuckDBPyType]
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The columns behind key and fields: as configured, or what stands in for nothing said."""
    if sync.audience is None:
        others = [column for column in columns if column not in sync.key.values()]
        return sync.key, sync.fields or {column: column for column in others}
    fields = sync.fields or {field: field for field in _AUDIENCE_FIELDS if field in columns}
    if sync.audience not in fields.values():
        fields = {**fields, sync.audience: sync.audience}
    return sync.key or {_USER: _USER}, fields


def _relations(connection: DuckDBPyConnection) -> set[str]:
    found = connection.execute(
        "select table_name from information_schema.tables "
        "where table_catalog = 'warehouse' and table_schema = 'analytics'"
    )
    return {name for (name,) in found.fetchall()}


def _columns(connection: DuckDBPyConnection, relation: str) -> dict[str, DuckDBPyType]:
    empty = connection.sql(f"select * from ({relation}) as relation limit 0")
    return dict(zip(empty.columns, empty.types, strict=True))
