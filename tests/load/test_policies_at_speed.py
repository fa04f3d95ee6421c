"""Contracts' policies where most events are ordinary: the kernel takes none that is another's."""

import json
import random

import pytest
import yaml

from loader.config import Workspace
from loader.load import load_files
from loader.load.kernel import is_usable
from tests.conftest import make_workspace

EVENTS = 4_000
VERSION_2 = {
    "name": "Order Completed",
    "version": 2,
    "rules": {"required": ["tip"], "properties": {"tip": {"type": "number"}}},
}
TABLES = ("order_completed", "page_read", "tracks", "violation_generated", "violations")


def events():
    """Of two tables and two sources: good, broken, unplanned, of each version, in any order."""
    chance = random.Random(5)
    for number in range(EVENTS):
        properties = {"order_id": f"o{number}", "total": 5, "currency": "RUB"}
        context = {"ip": "1.2.3.4"}
        if chance.random() < 0.1:
            properties["total"] = "5"
        if chance.random() < 0.1:
            properties["coupon"] = "X"
        if chance.random() < 0.1:
            properties["products"] = [{"product_id": "a", "price": 1, "brand": "b"}]
        if chance.random() < 0.1:
            context["protocols"] = {"event_version": chance.choice([1, 2, 3])}
        if chance.random() < 0.05:
            context["ip"] = 5
        name = chance.choice(["Order Completed", "Page Read"])
        yield {
            "type": "track",
            "event": name,
            "messageId": f"m{number}",
            "userId": "u",
            "receivedAt": "2024-05-01T10:00:00Z",
            "writeKey": chance.choice(["web", "app"]),
            "context": context,
            "properties": properties,
        }


def outcome(folder, monkeypatch, config, kernel):
    monkeypatch.setenv("HEADWATER_KERNEL", kernel)
    workspace = make_workspace(folder)
    (workspace.root / "headwater.yml").write_text(yaml.safe_dump(config))
    if "unplanned" not in str(config):  # which alone must keep the kernel off
        (workspace.schemas / "track/v2.json").write_text(json.dumps(VERSION_2))
    path = folder / "events.ndjson"
    path.write_text("".join(json.dumps(event) + "\n" for event in events()))
    report = load_files(Workspace(workspace.root), [str(path)])
    return workspace, report


@pytest.mark.parametrize(
    "web",
    [
        {},
        {"on_violation": "omit"},
        {"on_violation": "allow"},
        {"unplanned_events": "block"},
        {"unplanned_properties": "omit"},
        {"unplanned_properties": "omit", "on_violation": "omit", "violation_events": True},
    ],
    ids=str,
)
def test_the_kernel_changes_nothing_but_the_time(tmp_path, monkeypatch, raw, web):
    assert is_usable()
    config = {
        "sources": {"web": {"write_key": "web", "contracts": web}, "app": {"write_key": "app"}}
    }

    found = []
    for kernel in ("on", "off"):
        workspace, report = outcome(tmp_path / kernel, monkeypatch, config, kernel)
        tables = {
            table: sorted(
                raw(
                    workspace,
                    f"select columns(lambda c: c not in ('loaded_at', '_seq')) from raw.{table}",
                ),
                key=repr,
            )
            for table in TABLES
            if table in report.tables or table == "violations"
        }
        counts = {key: value for key, value in report.as_json().items() if key != "seconds"}
        found.append((counts, tables))

    assert found[0] == found[1]
    assert found[0][0]["events_in"] == EVENTS
