"""What tests of BigQuery start from: the emulator, and a workspace whose warehouse it is."""

import os
from itertools import count

import pytest

from loader.config import Workspace
from loader.warehouse.bigquery import jobs
from tests.bigquery.place import MartsPlace
from tests.bigquery.proxy import Proxy
from tests.bigquery.standin import PROJECT, PYTHON, Emulator
from tests.conftest import make_workspace
from tests.twin.receiver import serving

_numbers = count(1)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory):
    if not PYTHON.exists():
        why = "the emulator is not installed (tests/bigquery/emulator/install puts it there)"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    started = Emulator(tmp_path_factory.mktemp("emulator")).start()
    yield started
    started.stop()


@pytest.fixture
def bigquery_workspace(tmp_path, emulator):
    """A workspace on BigQuery, with datasets of its own."""
    return on_bigquery(make_workspace(tmp_path / "workspace"), emulator)


@pytest.fixture
def proxy(emulator):
    """Stands before the emulator, and lets go wrong what a test asks for."""
    with Proxy(emulator.url).running() as started:
        yield started


@pytest.fixture
def brief(monkeypatch):
    """Faults that last end within a second."""
    monkeypatch.setattr(jobs, "RETRY", jobs.RETRY.with_timeout(0.5))


def on_bigquery(workspace: Workspace, emulator: Emulator, **settings: object) -> Workspace:
    """The workspace with BigQuery for its warehouse, in datasets that nobody else uses."""
    number = next(_numbers)
    values = {
        "type": "bigquery",
        "project": PROJECT,
        "location": "EU",
        "raw_dataset": f"raw_{number}",
        "dataset": f"analytics_{number}",
        "base_url": emulator.url,
        "storage_url": emulator.storage_url,
        **settings,
    }
    written = ", ".join(f"{key}: {value}" for key, value in values.items())
    path = workspace.root / "headwater.yml"
    told = path.read_text().replace("warehouse:\n  type: duckdb\n", f"warehouse: {{{written}}}\n")
    path.write_text(told)
    return Workspace(workspace.root)


@pytest.fixture
def marts(tmp_path, emulator):
    """A workspace with marts made by hand and the sync `users` to a receiver."""
    with serving() as receiver:
        place = MartsPlace(Workspace(tmp_path), emulator, receiver)
        place.configure(users={"model": "users", "key": {"email": "email"}})
        yield place
