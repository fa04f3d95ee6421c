"""Counts the bytes that a command lets BigQuery read, and keeps them in a file of the workspace."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import msgspec

from loader.config import Workspace
from loader.durable import replacing
from loader.locks import exclusive
from loader.warehouse.bigquery.client import BigQuery, connect_bigquery
from loader.warehouse.usage import RunBytes, read_usage, usage_file

_KEPT_RUNS: Final = 20  # of each command


@contextmanager
def metered(workspace: Workspace, command: str) -> Iterator[BigQuery]:
    """A connection whose queries are counted as a run of `command`, however the block ends.

    AccessDenied without credentials, ConfigError for a bad key, StorageError if the disk refuses.
    """
    connection = connect_bigquery(workspace)
    try:
        yield connection
    finally:
        usage = connection.usage
        _add(workspace, RunBytes(command, datetime.now(UTC), usage.processed, usage.billed))


def _add(workspace: Workspace, run: RunBytes) -> None:
    path = usage_file(workspace)
    with exclusive(path.with_suffix(".lock"), "command", wait=True):
        known = read_usage(workspace)
        others = [other for other in known if other.command != run.command]
        same = [other for other in known if other.command == run.command]
        with replacing(path) as draft:
            draft.write_bytes(msgspec.json.encode([*others, *same[1 - _KEPT_RUNS :], run]))
