"""The fixture, in a test suite of its own as a user has it."""

import os
import subprocess
import sys
import tomllib

from tests.conftest import ROOT

SUITE = """
import http.client
import json

from loader.testing import assert_tracked, collector as serving

seen = []


def send(collector, event, **properties):
    connection = http.client.HTTPConnection(collector.url.removeprefix("http://"))
    body = {"writeKey": collector.write_key, "userId": "u", "event": event}
    connection.request("POST", "/v1/track", json.dumps({**body, "properties": properties}))
    assert connection.getresponse().status == 200
    connection.close()


def test_one(collector):
    send(collector, "First")
    assert_tracked(collector, "First")
    seen.append(collector.url)


def test_two_starts_with_nothing_at_the_same_address(collector):
    assert collector.events() == []
    assert collector.url == seen[0]


def test_three_has_a_collector_of_its_own():
    with serving() as own:
        send(own, "Third")
        assert_tracked(own, "Third")
        assert own.url != seen[0]


def test_four_is_to_fail(collector):
    send(collector, "Order Completed", total="much")
    assert_tracked(collector, "Order Completed")
"""
CONTRACT = """
{"name": "Order Completed", "rules": {"properties": {"total": {"type": "number"}}}}
"""


def pytest_in(folder, *arguments):
    """A run that knows of the plugin only; whether the installed one is there makes no odds."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "loader.testing.plugin", *arguments],
        cwd=folder,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_fixture_gives_each_test_of_a_suite_an_empty_collector(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\nheadwater_schemas = schemas\n")
    (tmp_path / "test_app.py").write_text(SUITE)
    (tmp_path / "schemas" / "track").mkdir(parents=True)
    (tmp_path / "schemas" / "track" / "order_completed.json").write_text(CONTRACT)

    done = pytest_in(tmp_path, "-q", "-W", "error")

    assert "1 failed, 3 passed" in done.stdout, done.stdout + done.stderr
    assert "came, but a load would keep it back" in done.stdout
    assert '$.properties.total: "much" is a string; the contract wants a number' in done.stdout
    assert "def _await" not in done.stdout  # the traceback ends in the test


def test_a_run_that_asks_for_no_collector_imports_nothing_of_it(tmp_path):
    (tmp_path / "test_app.py").write_text(
        "import sys\n\n\ndef test_it():\n"
        "    ours = {name for name in sys.modules if name.startswith('loader')}\n"
        "    assert ours == {'loader', 'loader.testing', 'loader.testing.plugin'}\n"
    )

    done = pytest_in(tmp_path, "-q")

    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_package_announces_the_plugin_to_pytest():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["entry-points"]["pytest11"] == {"headwater": "loader.testing.plugin"}
