"""The warehouse as a sync sees it: what the marts hold, and which of their rows may have changed.

One engine, two warehouses: everything else about a sync is the same for both.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from duckdb import DuckDBPyConnection

from loader.config import Workspace
from loader.protocol import encode_json

ToJson = Callable[[str], str]  # from the SQL of a value to the SQL of its JSON text


@dataclass(frozen=True)
class Source:
    """The rows of a sync: a SELECT, in the warehouse's SQL, of `key`, `fields` and `null_key`.

    `key` and `fields` are JSON texts, `null_key` names a key field without a value. An audience's
    rows tell in the field `flag` whether their user is a member.
    """

    rows: str
    flag: str | None = None

    @property
    def member(self) -> str:
        """What the `fields` of a member hold."""
        return self._membership(is_member=True)

    @property
    def departed(self) -> str:
        """What takes the place of `member` for a user who is none any more."""
        return self._membership(is_member=False)

    def _membership(self, *, is_member: bool) -> str:
        return f"{encode_json(self.flag).decode()}:{encode_json(is_member).decode()}"


class Marts(Protocol):
    """The marts of a workspace, and the SQL in which the two warehouses differ."""

    def tables(self) -> set[str]:
        """The names of tables and views."""

    def columns(self, table: str) -> Mapping[str, ToJson]:
        """The columns of `table` in order, and how a value of each is written as JSON."""

    def boolean(self, value: str) -> str:
        """How a truth value is written as JSON."""

    def any_true(self, value: str) -> str:
        """The aggregate that tells whether `value` is true in any row."""

    def table(self, name: str) -> str:
        """The table as SQL has it."""

    def quote(self, name: str) -> str:
        """The column's name as SQL has it."""

    def text(self, value: str) -> str:
        """The string as a literal."""

    def find(self, source: Source) -> int:
        """Fill `candidates` with the rows that may be new, changed or invalid.

        A temporary table or view of the connection: key, fields, null_key, and copies, the number
        of rows that have the key. Every row that differs from `state.accepted` is among them, also
        users who vanished from an audience. Gives how many rows there are in all.
        """


def open_marts(
    workspace: Workspace, sync: str, connection: DuckDBPyConnection
) -> AbstractContextManager[Marts]:
    """The marts for `sync`, of use until the block ends; `connection` has the sync's `state`.

    Raises ConfigError before the first transform, Busy while another process writes the warehouse.
    """
    if workspace.config.warehouse.is_bigquery:
        # Imported here because google.cloud is slow to.
        from loader.sync.bigquery_marts import open_bigquery_marts  # noqa: PLC0415

        return open_bigquery_marts(workspace, sync, connection)
    from loader.sync.duckdb_marts import open_duckdb_marts  # noqa: PLC0415

    return open_duckdb_marts(workspace, connection)
