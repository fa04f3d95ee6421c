"""A collector that the tests here share, and a plain way to send to it."""

import base64
import http.client
import json
from functools import partial

import pytest

from loader.testing import collector as serving
from tests.conftest import ROOT


@pytest.fixture(scope="session")
def shared():
    with serving(schemas=ROOT / "schemas") as running:
        yield running


@pytest.fixture
def collector(shared):
    """One that has received nothing yet; events are held to the repository's contracts."""
    shared.clear()
    return shared


@pytest.fixture
def send(collector):
    """`send_to` the shared one."""
    return partial(send_to, collector)


def send_to(collector, body, *, path=None, key=None):
    """Send a call, or a batch if it is a list; the answer's status."""
    if path is None:
        path = "/v1/batch" if isinstance(body, list) else f"/v1/{body.get('type', 'track')}"
    document = {"batch": body} if isinstance(body, list) else body
    user = base64.b64encode(f"{key or collector.write_key}:".encode()).decode()
    connection = http.client.HTTPConnection(collector.url.removeprefix("http://"), timeout=10)
    try:
        connection.request("POST", path, json.dumps(document), {"Authorization": f"Basic {user}"})
        return connection.getresponse().status
    finally:
        connection.close()


def order(**changes):
    """A track event that keeps its contract."""
    properties = {"order_id": "o-1", "total": 14500, "currency": "RUB"}
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": "u-1",
        "messageId": "m-1",
        "properties": properties,
        **changes,
    }
