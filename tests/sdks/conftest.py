"""What the tests of the SDKs start from: a collector that a module shares, and a browser."""

import pytest

from tests.collector.child import collecting, configure
from tests.conftest import make_workspace
from tests.sdks.browser import Browser, Site
from tests.sdks.needs import NODE_MODULES, need
from tests.sdks.proxy import Loop
from tests.sdks.stand import Stand


@pytest.fixture(scope="session")
def loop():
    running = Loop()
    yield running
    running.close()


@pytest.fixture(scope="module")
def stand(tmp_path_factory, loop):
    workspace = make_workspace(tmp_path_factory.mktemp("sdks") / "workspace")
    analytics_js = str(NODE_MODULES / "@segment" / "analytics-next")
    configure(
        workspace,
        collector={"trusted_proxies": ["127.0.0.1"], "analytics_js": analytics_js},
        enrichment={"user_agent": False, "bots": False, "campaign": False},  # rows are as sent
    )
    with collecting(workspace) as collector:
        made = Stand(workspace, collector, loop)
        yield made
        made.close()


@pytest.fixture(scope="session")
def browser():
    need("chromium", "node", "node_modules")
    running = Browser()
    yield running
    running.close()


@pytest.fixture(scope="session")
def site(loop):
    running = Site(loop)
    yield running
    running.close()
