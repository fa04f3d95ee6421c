"""What the how-to shows does what it says."""

import re
import sys
from pathlib import Path

import pytest
import yaml

from loader.config import Workspace

PAGE = Path(__file__).parents[2] / "docs/how-to/transform-events.md"


def shown(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def workspace(workspace, monkeypatch):
    """A workspace with all that the page sets, but for the country's file."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("HASH_SALT", "the salt")
    settings = {}
    for block in map(yaml.safe_load, shown("yaml")):
        for key, value in block.items():
            settings[key] = {**settings.get(key, {}), **value} if isinstance(value, dict) else value
    del settings["enrichment"]
    (workspace.root / "headwater.yml").write_text(yaml.safe_dump(settings))
    (workspace.root / "enrich.py").write_text(shown("python")[0])
    (workspace.root / "suppressed.txt").write_text(shown("text")[0])
    return Workspace(workspace.root)


def test_the_how_to_does_what_it_says(workspace, load, raw):
    track = {"type": "track", "userId": "u"}
    order = {"sum": 5, "order_id": "o", "password": "secret", "products": []}

    report = load(
        {**track, "event": "Order Done", "properties": order, "context": {"groupId": "acme"}},
        {**track, "event": "Heartbeat"},
        {**track, "type": "page", "context": {"page": {"url": "http://localhost:3000/"}}},
        {**track, "event": "A", "userId": "4711"},
        {"type": "page", "anonymousId": "2f1c9a52-7d3b-4a4e-9a67-0d6c3d2b8f10"},
        {**track, "type": "identify", "traits": {"email": "anna@example.com"}},
        {**track, "type": "page", "context": {"ip": "203.0.113.77"}},
    )

    assert (report.accepted, report.dropped, report.suppressed) == (3, 2, 2)
    [(total, currency, plan)] = raw(
        workspace, "select total, currency, plan from raw.order_completed"
    )
    assert (total, currency, plan) == (5.0, "EUR", "enterprise")
    assert "password" not in dict(
        raw(workspace, "select column_name, 1 from (describe raw.tracks)")
    )
    assert raw(workspace, "select context_ip from raw.pages") == [("203.0.113.0",)]
    assert len(raw(workspace, shown("sql")[0])) == 1
