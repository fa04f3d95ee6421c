"""@segment/analytics-node with the code of docs/how-to/node.md."""

import json
import os
import signal
import subprocess
from contextlib import contextmanager

import pytest
import yaml

from tests.collector.child import KEYS, collecting, configure
from tests.conftest import make_workspace
from tests.sdks.calls import assert_kept, make_calls
from tests.sdks.how_to import block
from tests.sdks.needs import HERE, NODE_MODULES, need
from tests.sdks.proxy import FAULTS
from tests.sdks.stand import Stand, assert_stored


@pytest.fixture(autouse=True)
def _is_possible():
    need("node", "node_modules")


class App:
    """A Node process; what its SDK said, so far."""

    def __init__(self, process):
        self.delivered: list[str] = []
        self.failed: list[str] = []
        self._process = process

    def read_until(self, is_enough):
        for line in self._process.stdout:
            said = json.loads(line)
            if "delivered" in said:
                self.delivered.append(said["delivered"])
            elif "failed" in said:
                self.failed.append(said["failed"])
            if is_enough(said):
                return

    def stop(self):
        """SIGTERM, to which the guide's code answers with closeAndFlush."""
        self._process.send_signal(signal.SIGTERM)
        self.read_until(lambda _: False)
        return self._process.wait(timeout=20)


@contextmanager
def running(folder, host, calls, setup="## Set it up", **environment):
    (folder / "node_modules").symlink_to(NODE_MODULES)
    (folder / "calls.json").write_text(json.dumps(calls))
    parts = [block("node", setup, host=host), "const clientIp = '203.0.113.7';\n"]
    parts.append(block("node", "## Send an event", host=host))
    parts.append(block("node", "## Send what is left before the process ends", host=host))
    parts.append((HERE / "node_tail.mjs").read_text())
    (folder / "app.mjs").write_text("".join(parts))
    with subprocess.Popen(
        ["node", "app.mjs", "calls.json"],
        cwd=folder,
        env=os.environ | {"SEGMENT_SERVER_WRITE_KEY": KEYS["SERVER_WRITE_KEY"]} | environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        app = App(process)
        app.read_until(lambda said: "called" in said)
        yield app
        process.kill()


def test_what_the_guides_code_has_flushed_when_it_ends_is_stored_as_it_was_sent(stand, tmp_path):
    proxy, calls = stand.proxy(), make_calls(60)

    with running(tmp_path, proxy.url, calls) as app:
        app.read_until(lambda _: len(app.delivered) == 60)
        code = app.stop()

    rows = assert_stored(stand, proxy)
    assert (code, app.failed, len(rows)) == (0, [], 61)
    assert {*app.delivered} <= rows.keys()  # the process may end before the last is reported
    assert_kept(calls, rows)
    [payment] = [row for row in rows.values() if row.get("event_text") == "Subscription Started"]
    assert (payment["revenue"], payment["context_ip"]) == (2990, "203.0.113.7")
    assert max(len(exchange.events) for exchange in proxy.exchanges) == 20


def test_what_node_reports_as_delivered_is_stored_once_whatever_fails(stand, tmp_path):
    proxy, calls = stand.proxy(FAULTS), make_calls(60)

    with running(tmp_path, proxy.url, calls) as app:
        app.read_until(lambda _: len(app.delivered) + len(app.failed) == 60)
        code = app.stop()

    rows = assert_stored(stand, proxy)
    assert (code, app.failed, len(rows)) == (0, [], 61)
    assert {*app.delivered} <= rows.keys()
    assert_kept(calls, rows)
    assert {*FAULTS} <= {exchange.fault for exchange in proxy.exchanges}


def test_node_sends_with_a_token_in_place_of_the_key(tmp_path, loop):
    need("openssl")
    subprocess.run(
        ["sh", "-euc", block("node", "and keep the private half with the sender:")],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    title = "`OAUTH_PUBLIC_KEY` holds what is in `public.pem`:"
    workspace = make_workspace(tmp_path / "workspace")
    configure(workspace, **yaml.safe_load(block("node", title)))
    environment = {
        "OAUTH_CLIENT_ID": "payments",
        "OAUTH_PUBLIC_KEY": (tmp_path / "public.pem").read_text(),
    }

    with collecting(workspace, **environment) as collector:
        stand = Stand(workspace, collector, loop)
        proxy, calls = stand.proxy(), make_calls(20)
        title = "The SDK fetches its tokens by itself:"
        with running(tmp_path, proxy.url, calls, title, **environment) as app:
            app.read_until(lambda _: len(app.delivered) == 15)  # a whole batch
            code = app.stop()
        rows = assert_stored(stand, proxy)
        stand.close()

    assert (code, app.failed, len(rows)) == (0, [], 21)
    assert_kept(calls, rows)
    assert {row["source_id"] for row in rows.values()} == {"server"}
    schemes = {exchange.headers["Authorization"].split()[0] for exchange in proxy.exchanges}
    assert schemes == {"Bearer"}
