"""What docs/how-to/deploy.md says of sizes, names and files."""

import dataclasses
import json
import re

import pytest

from loader.collector.commit import BUFFER_BYTES
from loader.collector.connection import IDLE_SECONDS
from loader.collector.worker import _DRAIN_SECONDS
from loader.config import CollectorConfig, read_config
from loader.spool import spool_size
from tests.collector.child import collecting, configure
from tests.deploy.files import DEPLOY, GUIDE, blocks

TEXT = GUIDE.read_text(encoding="utf-8")
BLOCK = 4096
SIZES = re.findall(
    r"\| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d.]+) GB \| `spool_megabytes: (\d+)` \|", TEXT
)


def bytes_a_second(events, event_bytes, requests):
    """The guide's formula."""
    return events * event_bytes + requests * BLOCK


@pytest.mark.parametrize("row", SIZES, ids=lambda row: f"{row[0]} events/s")
def test_the_table_of_sizes_is_what_the_formula_gives(row):
    events, event_bytes, requests = (int(text.replace(",", "")) for text in row[:3])
    rate = bytes_a_second(events, event_bytes, requests)

    assert float(row[3]) == pytest.approx(rate * 3600 / 1e9, abs=0.06)
    assert int(row[4]) == pytest.approx(rate * 12 * 3600 * 1.5 / 1e6, rel=0.02)


@pytest.mark.parametrize(("requests", "events"), [(40, 1), (20, 20)])
def test_the_spool_grows_by_no_more_than_the_formula_gives(workspace, requests, events):
    configure(workspace)
    event = {"type": "track", "event": "E", "userId": "u", "properties": {"text": "x" * 750}}
    body = {"batch": [event] * events}
    with collecting(workspace) as collector:
        for _ in range(requests):
            assert collector.post("/v1/batch", body)[0] == 200

    size, _ = spool_size(workspace.spool)
    most = bytes_a_second(events * requests, len(json.dumps(event)) + 2, requests)
    assert 0.7 * most < size <= most


def test_there_are_rows_in_the_table_of_sizes():
    assert len(SIZES) == 3


@pytest.mark.parametrize("block", blocks("yaml"))
def test_what_it_puts_into_headwater_yml_is_read(block, tmp_path):
    (tmp_path / "headwater.yml").write_text(block)

    assert read_config(tmp_path / "headwater.yml").collector != CollectorConfig()


def test_every_setting_of_the_spool_is_explained():
    names = [field.name for field in dataclasses.fields(CollectorConfig)]
    elsewhere = {"host", "port", "workers", "analytics_js"}

    assert [name for name in names if name not in elsewhere and f"`{name}`" not in TEXT] == []


def test_the_limits_that_it_names_are_those_of_the_collector():
    text = re.sub(r"\s+", " ", TEXT)

    assert f"under {IDLE_SECONDS:.0f} s, the collector's own" in text
    assert f"({_DRAIN_SECONDS:.0f} s at most)" in text
    assert f"over {BUFFER_BYTES >> 20} MB wait" in text


def test_the_metrics_that_it_names_are_there(workspace):
    configure(workspace)
    with collecting(workspace) as collector:
        found = collector.get("/metrics")[2].decode()

    named = re.findall(r"headwater_\w+", TEXT)
    assert named
    assert [name for name in named if name not in found] == []


def test_the_files_that_it_names_are_in_deploy():
    named = re.findall(r"deploy/([\w.*@-]+)", TEXT)

    assert {name for name in named if not list(DEPLOY.glob(name))} == {".env"}


def test_the_examples_proxy_closes_idle_connections_before_the_collector_does():
    [seconds] = re.findall(
        r"keepalive_timeout (\d+)s; +# less", (DEPLOY / "nginx.conf").read_text()
    )
    assert int(seconds) < IDLE_SECONDS
