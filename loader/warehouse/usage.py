"""What the last runs of commands let BigQuery read, as `bigquery.usage` recorded it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from loader.config import Workspace


@dataclass(frozen=True)
class RunBytes:
    """One run of a command: the bytes that its queries read, and those that are billed."""

    command: str
    ended_at: datetime
    bytes_processed: int
    bytes_billed: int


def usage_file(workspace: Workspace) -> Path:
    """Where the runs stand."""
    return workspace.home / "bytes.json"


def read_usage(workspace: Workspace) -> list[RunBytes]:
    """The runs that are remembered, the oldest of each command first; [] if there are none."""
    try:
        return msgspec.json.decode(usage_file(workspace).read_bytes(), type=list[RunBytes])
    except (FileNotFoundError, msgspec.DecodeError):
        return []  # a file that is damaged costs no more than the memory of costs
