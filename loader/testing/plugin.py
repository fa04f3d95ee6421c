"""pytest's way to a collector: the fixture `collector`.

pytest imports this in every run where Headwater is installed, so nothing is imported before a test
asks for a collector.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from loader.testing.serving import RunningCollector


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the contracts are that events have to keep."""
    parser.addini("headwater_schemas", "Folder of contracts that tracked events have to keep.")


@pytest.fixture(scope="session")
def headwater_collector(pytestconfig: pytest.Config) -> "Iterator[RunningCollector]":
    """One collector for all tests of a run: for apps that read their settings only once."""
    from loader.testing.serving import collector as serving  # noqa: PLC0415

    schemas = pytestconfig.getini("headwater_schemas")
    with serving(schemas=pytestconfig.rootpath / schemas if schemas else None) as running:
        yield running


@pytest.fixture
def collector(headwater_collector: "RunningCollector") -> "RunningCollector":
    """A collector that has received nothing yet."""
    headwater_collector.clear()
    return headwater_collector
