"""What many tests start from: a workspace, a way to write its input and one to read its tables."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from loader.config import Workspace
from loader.load import load_files
from loader.warehouse import connect

ROOT = Path(__file__).parents[1]


def make_workspace(root: Path) -> Workspace:
    """A workspace at `root` with the repository's contracts and config."""
    shutil.copytree(ROOT / "schemas", root / "schemas")
    shutil.copyfile(ROOT / "headwater.yml", root / "headwater.yml")
    return Workspace(root)


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path / "workspace")


@pytest.fixture
def write_ndjson(tmp_path):
    """Writes events, or lines given as bytes, to a file; gives its name."""

    def write(events, name="events.ndjson"):
        lines = [e if isinstance(e, bytes) else json.dumps(e).encode() for e in events]
        path = tmp_path / name
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return str(path)

    return write


@pytest.fixture
def load(workspace, write_ndjson):
    """Loads events, or lines given as bytes, into the workspace, as one file."""

    def load_events(*events, **options):
        return load_files(workspace, [write_ndjson(events)], **options)

    return load_events


def read_raw(workspace: Workspace, sql: str) -> list[tuple[Any, ...]]:
    """The rows that `sql` gives of a workspace's published file, times in UTC."""
    with connect(workspace) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture
def raw():
    return read_raw
