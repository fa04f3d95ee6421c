"""The views `raw.*`: what DuckDB shows of the lake, as of the newest committed version."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import duckdb

from loader.config import Workspace
from loader.event.values import ColumnType
from loader.warehouse.catalog import Catalog, is_log
from loader.warehouse.manifest import LakeFile, Manifest, versions_folder

_DUCKDB_TYPES = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.INT: "BIGINT",
    ColumnType.FLOAT: "DOUBLE",
    ColumnType.BOOL: "BOOLEAN",
    ColumnType.TIMESTAMP: "TIMESTAMPTZ",
    ColumnType.JSON: "JSON",
    ColumnType.DATES: "DATE[]",
}
_GLOB_SPECIALS = frozenset("*?[")


def quote(identifier: str) -> str:
    """`identifier` as SQL may hold it, whatever it contains."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: str) -> str:
    """`value` as an SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def refresh_views(
    connection: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    manifest: Manifest,
    *,
    pinned_to: Path | None = None,
) -> None:
    """Create the views of every raw table, in one transaction.

    With `pinned_to`, a copy of the manifest, they show what that lists, whatever is loaded later.
    """
    statements = view_statements(workspace, manifest, pinned_to)
    connection.begin()
    connection.execute("create schema if not exists raw")
    found = dict(
        connection.execute(
            "select view_name, comment from duckdb_views() "
            "where schema_name = 'raw' and not internal"
        ).fetchall()
    )
    for name in found.keys() - dict(statements).keys():
        connection.execute(f"drop view raw.{quote(name)}")
    for name, query in statements:
        mark = _digest(query)
        if found.get(name) != mark:  # making a view takes milliseconds: DuckDB binds it
            connection.execute(f"create or replace view raw.{quote(name)} as {query}")
            connection.execute(f"comment on view raw.{quote(name)} is {text(mark)}")
    mark = text(fingerprint(workspace, manifest))
    connection.execute(f"comment on view raw.loads is {mark}")
    connection.commit()


def fingerprint(workspace: Workspace, manifest: Manifest) -> str:
    """A digest of what the published views should be; it stands as the comment of `raw.loads`."""
    # All views are alike: that of one table tells how they are written, and where they look.
    sample = Manifest(epoch=manifest.epoch, files=[LakeFile("", "loads", "", 0, 0)])
    form = view_statements(workspace, sample, None)
    filled = sorted({file.table_name for file in manifest.files})
    if workspace.config.warehouse.is_bigquery:
        return _digest(repr((form, [table for table in filled if is_log(table)])))
    statements = (form, filled, manifest.catalog.to_json())
    return _digest(repr(statements))


def _digest(written: str) -> str:
    return "views " + sha256(written.encode()).hexdigest()[:32]


def view_statements(
    workspace: Workspace, manifest: Manifest, pinned_to: Path | None
) -> list[tuple[str, str]]:
    """Each raw table's name and the query of its view."""
    if pinned_to is None:
        versions = text(f"{as_pattern(versions_folder(workspace, manifest))}/*")
        listing = (
            f"(select min(file) as file from glob({versions})) as newest "
            f"join read_parquet({versions}, filename = true) as manifest "
            f"on manifest.filename = newest.file"
        )
    else:
        listing = f"read_parquet({text(as_pattern(pinned_to))}) as manifest"
    filled = {file.table_name for file in manifest.files}
    only_logs = workspace.config.warehouse.is_bigquery  # its events are on their way there
    return [
        (table, _view(workspace, manifest.catalog, table, listing))
        if table in filled
        else (table, _empty_view(manifest.catalog, table))
        for table in sorted(manifest.catalog.tables)
        if is_log(table) or not only_logs
    ]


def scan(workspace: Workspace, catalog: Catalog, table: str, files: Sequence[LakeFile]) -> str:
    """What reads these files of `table`, in their order, as SQL may have it after `from`."""
    if not files:
        return f"({_empty_view(catalog, table)})"
    names = ", ".join(text(as_pattern(workspace.lake / file.file)) for file in files)
    return f"read_parquet([{names}], schema = {_schema(catalog, table)})"


def _view(workspace: Workspace, catalog: Catalog, table: str, listing: str) -> str:
    """One view's query.

    The order in `from` matters: DuckDB lists folders while it binds, left to right, so the newest
    version is known before the lake is listed, and all that it has is in that list. Columns are
    found by field id, so that a file lacking one, or holding an older type of it, reads well and
    no file is opened that a filter on `_date` excludes. The pattern ends in `**` because that
    passes over symbolic links, which is how retired files leave the list: see `retired`.
    """
    lake = f"{workspace.lake}/"
    date_at = len(f"{lake}{table}/_date=") + 1
    names = ", ".join(f"stored.{quote(name)}" for name in catalog.columns_of(table))
    return (
        f"select {names}, cast(substr(stored._file, {date_at}, 10) as date) as _date "
        f"from (select {text(lake)} || manifest.file as file from {listing} "
        f"where manifest.table_name = {text(table)}) as listed "
        f"join read_parquet({text(f'{as_pattern(workspace.lake)}/{table}/**')}, "
        f"schema = {_schema(catalog, table)}, filename = '_file') as stored "
        f"on stored._file = listed.file"
    )


def _schema(catalog: Catalog, table: str) -> str:
    """The table's columns for read_parquet, to be found by field id whatever a file's age."""
    fields = ", ".join(
        f"{field_id}: {{name: {text(name)}, type: '{_DUCKDB_TYPES[kind]}', default_value: NULL}}"
        for name, (field_id, kind) in catalog.columns_of(table).items()
    )
    return f"MAP {{{fields}}}"


def _empty_view(catalog: Catalog, table: str) -> str:
    columns = {name: _DUCKDB_TYPES[kind] for name, (_, kind) in catalog.columns_of(table).items()}
    nulls = ", ".join(
        f"cast(null as {kind}) as {quote(name)}"
        for name, kind in [*columns.items(), ("_date", "DATE")]
    )
    return f"select {nulls} where false"


def as_pattern(path: object) -> str:
    """`path` as a glob pattern that matches only itself."""
    return "".join(f"[{c}]" if c in _GLOB_SPECIALS else c for c in str(path))
