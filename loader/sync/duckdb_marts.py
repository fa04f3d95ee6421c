"""The marts in the published DuckDB file: syncs compare them where they lie."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from duckdb import DuckDBPyConnection
from duckdb.sqltypes import BOOLEAN

from loader.config import Workspace
from loader.errors import Busy, ConfigError
from loader.sync.duckdb_json import json_sql
from loader.sync.marts import Source, ToJson
from loader.sync.state import attach
from loader.warehouse.views import quote, text

_CANDIDATES = """
create temp view source as {rows};

create temp table repeated as
select key, count(*) as copies from source where null_key is null group by key having copies > 1;

create temp view candidates as
select source.key, fields, null_key, coalesce(copies, 1) as copies
from source left join repeated on repeated.key = source.key;
"""
# An order that was corrected, or a merge into an older user, takes a row out of the audience.
_WITH_DEPARTED = """
with present as ({rows})
from present
union all
select key, replace(fields, {member}, {departed}), null from state.accepted
where key not in (select key from present)
"""


@dataclass(frozen=True)
class DuckdbMarts:
    """The marts as `warehouse.analytics` of a connection."""

    connection: DuckDBPyConnection
    quote = staticmethod(quote)
    text = staticmethod(text)

    def tables(self) -> set[str]:
        """See Marts."""
        found = self.connection.execute(
            "select table_name from information_schema.tables "
            "where table_catalog = 'warehouse' and table_schema = 'analytics'"
        )
        return {name for (name,) in found.fetchall()}

    def columns(self, table: str) -> Mapping[str, ToJson]:
        """See Marts."""
        empty = self.connection.sql(f"select * from {self.table(table)} limit 0")
        kinds = zip(empty.columns, empty.types, strict=True)
        return {name: partial(json_sql, kind=kind) for name, kind in kinds}

    def boolean(self, value: str) -> str:
        """See Marts."""
        return json_sql(value, BOOLEAN)

    def any_true(self, value: str) -> str:
        """See Marts."""
        return f"bool_or({value})"

    def table(self, name: str) -> str:
        """See Marts."""
        return f"warehouse.analytics.{quote(name)}"

    def find(self, source: Source) -> int:
        """See Marts; every row is a candidate."""
        rows = source.rows
        if source.flag is not None:
            rows = _WITH_DEPARTED.format(
                rows=rows, member=text(source.member), departed=text(source.departed)
            )
        self.connection.execute(_CANDIDATES.format(rows=rows))
        found = self.connection.execute("select count(*) from source").fetchone()
        return int(found[0]) if found else 0


@contextmanager
def open_duckdb_marts(
    workspace: Workspace, connection: DuckDBPyConnection
) -> Iterator[DuckdbMarts]:
    """As `open_marts`; the published file is let go of when the block ends."""
    path = workspace.warehouse
    not_yet = ConfigError(
        f"{path}: the marts are not there yet", fix="run `headwater transform` first"
    )
    if not path.is_file():
        raise not_yet
    busy = Busy(
        f"{path} is open for writing in another process",
        fix="close that process (or open the file read-only there), then run this again",
    )
    # The views that dbt made name their database, so the alias has to be that name.
    attach(connection, path, "warehouse", "(read_only)", busy)
    marts = "from duckdb_schemas() where database_name = 'warehouse' and schema_name = 'analytics'"
    if connection.execute(marts).fetchone() is None:
        raise not_yet
    yield DuckdbMarts(connection)
    connection.execute("drop view candidates; drop view source; detach warehouse")
