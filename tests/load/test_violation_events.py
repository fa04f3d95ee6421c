"""`violation_events`: what was kept in raw.violations is an event, too, and only once."""

import pytest
import yaml

from loader.archive import read_archive
from loader.config import Workspace
from loader.load import load_files
from loader.warehouse import read_manifest


def order(message_id, **properties):
    return {
        "type": "track",
        "event": "Order Completed",
        "messageId": message_id,
        "userId": "u",
        "timestamp": "2024-05-01T10:00:00Z",
        "sentAt": "2024-05-01T10:00:01+00:00",
        "context": {"app": {"version": "1.2"}},
        "properties": properties,
    }


BROKEN = order("m1", order_id="o1", total="5")


@pytest.fixture
def load_as(workspace, write_ndjson):
    """Loads events under these `contracts`, as one file."""

    def load_events(contracts, *events, name="events.ndjson", **options):
        config = {"contracts": contracts, "sources": options.pop("sources", {})}
        (workspace.root / "headwater.yml").write_text(yaml.safe_dump(config))
        return load_files(Workspace(workspace.root), [write_ndjson(events, name)], **options)

    return load_events


def test_each_violation_is_an_event_in_segments_shape(workspace, load_as, raw):
    report = load_as({"violation_events": True}, BROKEN, b"{nope", source="web")

    assert (report.events_in, report.accepted, report.blocked) == (2, 0, 2)
    assert report.violation_events == 3
    assert report.tables == {"tracks": 3, "violation_generated": 3}
    assert raw(
        workspace,
        "select user_id, event_text, source_id, app_version, event_message_id, event_name,"
        " event_sent_at::varchar, event_timestamp::varchar, event_type, source_name, source_slug,"
        " tracking_plan_id, tracking_plan_name, violation_description, violation_field,"
        " violation_type, timestamp::varchar, _rescued"
        " from raw.violation_generated where event_message_id = 'm1' order by violation_field",
    ) == [
        (
            *("schema-violations", "Violation Generated", "web", "1.2", "m1", "Order Completed"),
            *("2024-05-01 10:00:01+00", "2024-05-01 10:00:00+00", "track", "web", "web"),
            *("schemas", "schemas", described, field, kind, "2024-05-01 10:00:01+00", None),
        )
        for described, field, kind in [
            (
                'properties.currency is missing; the contract wants one of "RUB", "USD", "EUR"',
                "properties.currency",
                "Required",
            ),
            (
                'properties.total "5" is a string; the contract wants a number >= 0',
                "properties.total",
                "Invalid Type",
            ),
        ]
    ]
    assert raw(
        workspace,
        "select event_type, violation_field, violation_type from raw.violation_generated"
        " where event_message_id <> 'm1'",
    ) == [(None, "(root)", "malformed")]
    assert raw(workspace, "select count(*) from raw.violations") == [(3,)]


def test_a_repeat_is_not_told_again(workspace, load_as, raw):
    load_as({"violation_events": True}, BROKEN, BROKEN)

    report = load_as({"violation_events": True}, BROKEN, name="again.ndjson")

    assert (report.duplicates, report.violation_events) == (1, 0)
    assert raw(workspace, "select count(*) from raw.violation_generated") == [(2,)]


def test_what_was_let_in_with_violations_is_told_too(workspace, load_as, raw):
    report = load_as({"violation_events": True, "on_violation": "omit"}, BROKEN)

    assert (report.events_in, report.accepted, report.violation_events) == (1, 1, 2)
    assert raw(workspace, "select event, count(*) from raw.tracks group by 1 order by 1") == [
        ("order_completed", 1),
        ("violation_generated", 2),
    ]


def test_only_sources_that_want_it_tell(load_as):
    web = {"web": {"contracts": {"violation_events": True}}}

    assert load_as({}, BROKEN, sources=web, source="web").violation_events == 2
    assert load_as({}, order("m2"), sources=web, name="b.ndjson").violation_events == 0


def test_it_is_held_to_no_contract(workspace, load_as):
    policy = {"violation_events": True, "unplanned_events": "block"}

    report = load_as(policy, BROKEN)

    assert report.tables["violation_generated"] == 2


def test_it_is_in_the_archive_in_its_order(workspace, load_as):
    good = order("m2", order_id="o2", total=5, currency="RUB")
    config = {"violation_events": True}
    events = [
        {**event, "receivedAt": None, "sentAt": None, "timestamp": None} for event in (BROKEN, good)
    ]

    load_as(config, *events)

    found = list(read_archive(workspace, next_load_id=read_manifest(workspace).next_load_id))
    assert [event.event for event in found] == ["Order Completed"] + ["Violation Generated"] * 2
    assert [event.seq for event in found] == sorted(event.seq for event in found)
