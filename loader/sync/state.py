"""Opens the state file of a sync, which is also its lock."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from loader.config import Workspace
from loader.durable import replacing
from loader.errors import Busy, LoaderError, StorageError
from loader.locks import exclusive
from loader.warehouse.views import text

# Keeps memory flat however many rows there are: beyond it DuckDB works on disk.
_MEMORY = "256MB"
_THREADS = 4
_DISK_ERRORS = (
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.TransactionException,  # a commit that could not be written
    duckdb.FatalException,
)
_HELD = ("Could not set lock", "already attached")

_STATE_TABLES = """
create table accepted (
    key varchar, fields varchar, fields_hash uhugeint, version bigint, accepted_at timestamp
);
create table outcomes (
    run_id varchar, message_id varchar, key varchar, operation varchar, outcome varchar,
    status integer, reason varchar, recorded_at timestamp
);
create table runs (
    run_id varchar, started_at timestamp, finished_at timestamp, added bigint, changed bigint,
    unchanged bigint, invalid bigint, delivered bigint, rejected bigint, retry bigint, error varchar
);
"""


def create_tables(connection: duckdb.DuckDBPyConnection, database: str) -> None:
    """Make the tables of a state in an attached `database` that has none."""
    connection.execute(f"use {database}; {_STATE_TABLES}; use memory")


@contextmanager
def open_state(
    workspace: Workspace, name: str, *, read_only: bool
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection with the state of sync `name` as `state`.

    Raises Busy while another process runs this sync. With `read_only` nothing is created: a sync
    that never ran has an empty state.
    """
    spill = workspace.home / "tmp"
    connection = duckdb.connect(
        ":memory:",
        config={"memory_limit": _MEMORY, "threads": _THREADS, "temp_directory": str(spill)},
    )
    try:
        connection.execute("set TimeZone = 'UTC'")
        _attach_state(connection, workspace.state / f"{name}.duckdb", name, read_only=read_only)
        yield connection
    except duckdb.Error as problem:
        raise _refused(f"sync {name}", problem) from problem
    finally:
        connection.close()


def _attach_state(
    connection: duckdb.DuckDBPyConnection, path: Path, name: str, *, read_only: bool
) -> None:
    busy = Busy(
        f"the sync {name} is running in another process ({path} is its lock)",
        fix="wait until it is done, then run this again",
    )
    if not read_only:
        _create_state(path)
    if path.exists():
        attach(connection, path, "state", "(read_only)" if read_only else "", busy)
    else:
        connection.execute("attach ':memory:' as state")
        create_tables(connection, "state")


def _create_state(path: Path) -> None:
    """Make the state file unless it is there: whole or not at all."""
    if path.exists():
        return
    with exclusive(path.parent / "create.lock", "sync", wait=True):
        if path.exists():
            return
        with replacing(path) as draft:
            draft.unlink(missing_ok=True)
            draft.with_name(f"{draft.name}.wal").unlink(missing_ok=True)
            with duckdb.connect(draft) as connection:
                connection.execute(_STATE_TABLES)
                connection.execute("checkpoint")  # else closing does it, and hides a full disk


def attach(
    connection: duckdb.DuckDBPyConnection, path: Path, alias: str, options: str, busy: Busy
) -> None:
    """Attach the DuckDB file `path` as `alias`; raises `busy` if another process has it."""
    try:
        connection.execute(f"attach {text(str(path))} as {alias} {options}")
    except duckdb.Error as problem:
        if any(sign in str(problem) for sign in _HELD):
            raise busy from problem
        raise _refused(str(path), problem) from problem


def _refused(where: str, problem: duckdb.Error) -> LoaderError:
    if isinstance(problem, _DISK_ERRORS):
        return StorageError(
            f"{where}: {problem}",
            fix="mend the disk or its rights, then run this again; what was sent but not recorded "
            "goes out once more, under the same message_id",
        )
    return LoaderError(f"{where}: {problem}", fix="check the model that it reads")
