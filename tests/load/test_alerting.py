"""Alerts that follow real loads."""

from datetime import UTC, datetime, timedelta

import pytest

from loader.config import Workspace
from loader.load import load_files
from loader.load.alerting import tell_news
from loader.locks import exclusive
from loader.run import run_once
from tests.load.test_retry import mend, order, retry
from tests.twin.receiver import Answer, serving


@pytest.fixture
def receiver(monkeypatch):
    with serving() as receiver:
        monkeypatch.setenv("ALERT_URL", receiver.url)
        yield receiver


@pytest.fixture
def alerting(workspace):
    """Sets the workspace's alert up, with settings as YAML has them."""

    def configure(settings=""):
        path = workspace.root / "headwater.yml"
        alert = f"{{type: webhook, url: '${{ALERT_URL}}', format: plain{settings}}}"
        path.write_text(f"contracts:\n  alerts:\n    - {alert}\n")
        return Workspace(workspace.root)

    return configure


def told(receiver):
    return [
        {(v["event"], v["rule"]): v["count"] for v in request.json["violations"]}
        for request in receiver.requests
    ]


def later(**amount):
    return (datetime.now(UTC) + timedelta(**amount)).timestamp()


def test_what_a_load_newly_blocks_is_told_after_it_in_one_request(alerting, write_ndjson, receiver):
    workspace = alerting()
    file = write_ndjson(
        [
            order(1),
            order(1),
            order(2),
            order(3, currency="X", total=1),
            {"messageId": "m", "type": "page"},
        ]
    )

    report = load_files(workspace, [file])
    load_files(workspace, [file])

    assert report.warnings == []
    assert told(receiver) == [
        {("Order Completed", "type"): 2, ("Order Completed", "enum"): 1, ("page", "no_identity"): 1}
    ]
    [found, *_] = receiver.requests[0].json["violations"]
    assert (found["message_id"], found["sources"]) == ("m-2", ["file"])
    assert receiver.requests[0].json["load_id"] == report.load_id


def test_what_was_blocked_before_there_was_an_alert_is_not_told(
    workspace, alerting, load, receiver, write_ndjson
):
    load(order(1))

    load_files(alerting(), [write_ndjson([order(2)], "second.ndjson")])

    assert told(receiver) == [{("Order Completed", "type"): 1}]


def test_a_load_that_was_killed_before_it_could_tell_is_told_of_by_the_next(
    alerting, write_ndjson, receiver
):
    workspace = alerting()
    with exclusive(workspace.home / "alerts.lock", "alert"):
        load_files(workspace, [write_ndjson([order(1)])])
    assert receiver.requests == []

    load_files(workspace, [])

    assert told(receiver) == [{("Order Completed", "type"): 1}]


def test_an_address_that_hangs_costs_a_load_a_few_seconds_and_no_event(
    alerting, write_ndjson, receiver, raw
):
    workspace = alerting()
    receiver.script = iter([Answer(hangs=True)])

    report = load_files(workspace, [write_ndjson([order(1), order(2, total=1)])])
    again = load_files(workspace, [])

    [warning] = report.warnings
    assert "no answer within 5 s" in warning
    assert receiver.url not in warning
    assert (report.accepted, report.blocked, report.seconds < 10) == (1, 1, True)
    assert again.warnings == []
    assert told(receiver)[1:] == [{("Order Completed", "type"): 1}]


def test_a_variable_that_is_not_set_fails_no_load(alerting, write_ndjson, monkeypatch):
    monkeypatch.delenv("ALERT_URL", raising=False)

    report = load_files(alerting(), [write_ndjson([order(1)])])

    assert report.blocked == 1
    assert "ALERT_URL is not set" in report.warnings[0]


def test_a_state_that_is_damaged_begins_anew(alerting, write_ndjson, receiver):
    workspace = alerting()
    load_files(workspace, [write_ndjson([order(1)])])
    (workspace.state / "alerts.json").write_bytes(b"{")

    report = load_files(workspace, [write_ndjson([order(2)], "second.ndjson")])

    assert report.warnings == []
    assert told(receiver)[1:] == [{("Order Completed", "type"): 1}]


def test_a_run_tells_too(alerting, write_ndjson, receiver):
    workspace = alerting()

    next(run_once(workspace, [write_ndjson([order(1)])]))

    assert len(receiver.requests) == 1


def test_a_retry_tells_of_what_now_breaks_another_rule(alerting, write_ndjson, receiver):
    workspace = alerting()
    load_files(workspace, [write_ndjson([order(1)])])
    mend(workspace, total={"type": "string", "maxLength": 3})

    retry(workspace)

    assert told(receiver)[1:] == [{("Order Completed", "maxLength"): 1}]


def test_the_rate_is_of_what_was_loaded_or_blocked_of_a_source(alerting, write_ndjson, receiver):
    workspace = alerting(", violations: false, violation_rate: 15%, minimum_events: 10")
    good = [order(n, total=n) for n in range(16)]
    half = write_ndjson([*good[:8], order(100), order(100, currency="X"), order(101)], "half")

    load_files(workspace, [half], source="server")
    load_files(workspace, [write_ndjson([*good[8:], order(102)], "rest")], source="web")

    [request] = receiver.requests
    assert request.json["violation_rates"] == [
        {
            "source": "server",
            "events": 10,
            "violating": 2,
            "rate": 0.2,
            "limit": 0.15,
            "window_seconds": 3600,
        }
    ]


def test_the_volume_looks_back_to_before_there_was_an_alert(
    workspace, alerting, write_ndjson, receiver
):
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    days = {60: 20, 47: 30, 30: 20, 20: 5, 2: 5}  # hours ago: events
    events = [
        {
            "type": "page",
            "userId": "u",
            "messageId": f"{ago}-{number}",
            "receivedAt": (now - timedelta(hours=ago)).isoformat(),
        }
        for ago, count in days.items()
        for number in range(count)
    ]
    load_files(workspace, [write_ndjson(events)], source="web")

    load_files(alerting(", volume_change: 50%, minimum_events: 10"), [])

    [request] = receiver.requests
    assert request.json["volume_changes"] == [
        {"source": "web", "events": 10, "events_before": 50, "change": -0.8, "limit": 0.5}
    ]


def test_nothing_is_told_twice_however_late_the_next_load_is(alerting, write_ndjson, receiver):
    workspace = alerting(", violation_rate: 1%, volume_change: 1%")
    load_files(workspace, [write_ndjson([order(1)])])

    warnings = [tell_news(workspace, later(hours=hours)) for hours in (1, 2, 30, 80)]

    assert warnings == [[], [], [], []]
    assert len(receiver.requests) == 1
