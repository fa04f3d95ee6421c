"""The published file warehouse.duckdb: everybody reads it, nobody waits for anybody.

DuckDB lets one process write or many read. So the file that people open is only ever replaced by
rename: a reader keeps the file that it opened, the next one gets the new file. Whoever opens it
read-write against the rules and is killed leaves a write-ahead log that would damage the next file:
it is moved aside.
"""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from loader.config import Workspace
from loader.durable import refused, sync
from loader.errors import Busy, ConfigError, StorageError
from loader.locks import exclusive
from loader.warehouse.lake import sweep
from loader.warehouse.locks import is_open_for_writing
from loader.warehouse.manifest import (
    commit_manifest,
    mark_version,
    read_manifest,
    read_manifest_file,
)
from loader.warehouse.views import fingerprint, refresh_views

READ_ONLY = 0o444
# What DuckDB raises on a full disk, by whether it was writing, committing or at a checkpoint.
_DISK_REFUSED = (duckdb.IOException, duckdb.TransactionException, duckdb.FatalException)


def connect(workspace: Workspace) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the published file, its times in UTC."""
    path = workspace.warehouse
    if not path.is_file():
        raise ConfigError(f"{path} does not exist", fix="`headwater load` or `transform` makes it")
    try:
        connection = duckdb.connect(path, read_only=True)
    except duckdb.IOException as problem:
        raise _unreadable(path, problem) from problem
    connection.execute("set TimeZone = 'UTC'")
    return connection


def repair(workspace: Workspace) -> list[str]:
    """Bring the workspace's state into order; what was done, as messages for the user.

    Creates what is missing (every raw table exists, typed and empty), moves a stray write-ahead log
    aside, refreshes views after a move of the workspace or a load that was killed before it could.
    """
    if workspace.shipping.is_file() and not workspace.config.warehouse.is_bigquery:
        raise ConfigError(
            "headwater.yml: warehouse: the events of this workspace are in BigQuery, not here",
            fix="set it back to `type: bigquery`; to use DuckDB, begin another workspace with "
            "`headwater init DIR`",
        )
    if not workspace.manifest.is_file():
        with exclusive(workspace.home / "load.lock", "load", wait=True) as was_killed:
            if was_killed:
                sweep(workspace, read_manifest(workspace))
            if not workspace.manifest.is_file():
                commit_manifest(workspace, read_manifest(workspace))
    manifest = read_manifest(workspace)
    mark_version(workspace, manifest)
    if is_open_for_writing(workspace.warehouse):
        return [f"{workspace.warehouse} is open for writing elsewhere: it is left as it is"]
    messages = _move_stray_log(workspace.warehouse)
    if _views_mark(workspace) != fingerprint(workspace, manifest):
        with exclusive(workspace.home / "swap.lock", "swap", wait=True):
            _refresh(workspace)
    return messages


def views_are_current(workspace: Workspace) -> bool:
    """Whether the published file shows every raw table as it is, where the workspace is now."""
    return _views_mark(workspace) == fingerprint(workspace, read_manifest(workspace))


def start_build(workspace: Workspace, *, is_empty: bool = False) -> Path:
    """A copy of the published file to build in, its raw views pinned to what is loaded now.

    With `is_empty` it is a new file that has nothing of the published one, not even in pages that
    DuckDB has freed and not yet written over. Its name is `warehouse.duckdb` too, since a view that
    dbt makes names the database it stands in.
    """
    repair(workspace)
    _refuse_if_written(workspace.warehouse)
    build = workspace.dbt / "build" / workspace.warehouse.name
    shutil.rmtree(build.parent, ignore_errors=True)
    build.parent.mkdir(parents=True)
    if not is_empty:
        _copy(workspace.warehouse, build)
    listing = build.with_name(workspace.manifest.name)
    shutil.copyfile(workspace.manifest, listing)
    with duckdb.connect(build) as connection:
        manifest = read_manifest_file(listing)
        refresh_views(connection, workspace, manifest, pinned_to=listing)
    return build


def publish(workspace: Workspace, build: Path) -> list[str]:
    """Let `build` take the published file's place, its raw views live; messages as `repair`."""
    with exclusive(workspace.home / "swap.lock", "swap", wait=True):
        _refuse_if_written(workspace.warehouse)
        messages = _move_stray_log(workspace.warehouse)
        _swap(workspace, build)
    shutil.rmtree(build.parent, ignore_errors=True)
    return messages


def remove_remains(workspace: Workspace) -> int:
    """Remove what stands beside the published file: logs moved aside, copies, what was spilled.

    How many files that were.
    """
    with exclusive(workspace.home / "swap.lock", "swap", wait=True):
        beside = list(workspace.home.glob(f"{workspace.warehouse.name}.*"))
        folders = [path for path in beside if path.is_dir()] + [workspace.home / "swap"]
        files = [path for path in beside if path.is_file()]
        files += [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        for path in files:
            path.unlink(missing_ok=True)
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        return len(files)


def _refresh(workspace: Workspace) -> None:
    """Replace the published file by a copy of itself with views as they should be."""
    candidate = workspace.home / "swap" / workspace.warehouse.name
    shutil.rmtree(candidate.parent, ignore_errors=True)
    candidate.parent.mkdir()
    try:
        if workspace.warehouse.is_file():
            _copy(workspace.warehouse, candidate)
        _swap(workspace, candidate)
    except OSError as problem:
        raise refused(workspace.warehouse, problem) from problem
    finally:
        shutil.rmtree(candidate.parent, ignore_errors=True)


def _swap(workspace: Workspace, candidate: Path) -> None:
    """Make `candidate`, with live views, the published file; call under swap.lock."""
    try:
        with duckdb.connect(candidate) as connection:
            refresh_views(connection, workspace, read_manifest(workspace))
            connection.execute("checkpoint")
    except _DISK_REFUSED as problem:
        raise refused(workspace.warehouse, problem) from problem
    candidate.chmod(READ_ONLY)
    sync(candidate)
    candidate.rename(workspace.warehouse)
    sync(workspace.home)


def _copy(origin: Path, target: Path) -> None:
    shutil.copyfile(origin, target)
    target.chmod(0o644)


def _move_stray_log(database: Path) -> list[str]:
    log = database.with_name(f"{database.name}.wal")
    if not log.exists():
        return []
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = log.with_name(f"{log.name}.{moment}")
    log.rename(aside)
    return [
        f"{log} was left by a process that opened {database.name} for writing and was stopped: "
        f"moved to {aside.name}; what it wrote there is not in the warehouse"
    ]


def _refuse_if_written(database: Path) -> None:
    if is_open_for_writing(database):
        raise Busy(
            f"{database} is open for writing in another process",
            fix="open it read-only (duckdb -readonly), close that process, then repeat",
        )


def _views_mark(workspace: Workspace) -> str | None:
    """The fingerprint of the views in the published file; None without a file or views."""
    if not workspace.warehouse.is_file():
        return None
    query = "select comment from duckdb_views() where schema_name = 'raw' and view_name = 'loads'"
    with connect(workspace) as connection:
        found = connection.execute(query).fetchone()
    return str(found[0]) if found else None


def _unreadable(path: Path, problem: Exception) -> StorageError | Busy:
    if is_open_for_writing(path):
        return Busy(
            f"{path} is open for writing in another process",
            fix="open it read-only (duckdb -readonly), close that process, then repeat",
        )
    return StorageError(
        f"{path}: {problem}",
        fix="move the file away and run `headwater transform -- --full-refresh`: "
        "raw tables live in the lake and lose nothing",
    )
