import pytest

from loader.load import load_files
from tests.load.nursery import Nursery
from tests.spool.place import padded, put


@pytest.fixture(scope="session")
def nursery():
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def spool(workspace):
    """Puts lines into a segment of the workspace's spool."""

    def put_lines(*lines, **place):
        return put(workspace.spool, padded(*lines), **place)

    return put_lines


@pytest.fixture
def load_spool(workspace):
    return lambda: load_files(workspace, [])


@pytest.fixture
def configure(workspace):
    """Adds to the workspace's headwater.yml."""

    def add(text):
        with (workspace.root / "headwater.yml").open("a") as file:
            file.write(f"\n{text}\n")

    return add
