"""A collector that the tests of a module share."""

import pytest

from tests.collector.child import collecting, configure
from tests.conftest import make_workspace


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A workspace and a collector that serves it; tests tell their events from others' by name."""
    workspace = make_workspace(tmp_path_factory.mktemp("collector") / "workspace")
    configure(workspace, collector={"trusted_proxies": ["127.0.0.2"]})
    with collecting(workspace) as collector:
        collector.workspace = workspace
        yield collector
