"""Contracts' policies, seen from the warehouse: what is in a table, what in raw.violations."""

import json
from datetime import UTC, datetime

import pytest
import yaml

from loader.cli import main
from loader.config import Workspace
from loader.load import load_files

ORDER = {"order_id": "o1", "total": 5, "currency": "RUB"}


def track(message_id, event="Order Completed", /, **properties):
    return {
        "type": "track",
        "event": event,
        "messageId": message_id,
        "userId": "u",
        "timestamp": "2024-05-01T10:00:00Z",
        "properties": properties,
    }


BROKEN = track("m1", **{**ORDER, "total": "5", "id": "own"})


@pytest.fixture
def configure(workspace):
    """Writes headwater.yml with these `contracts`, and `sources` by name."""

    def write(contracts, **sources):
        text = yaml.safe_dump({"contracts": contracts, "sources": sources})
        (workspace.root / "headwater.yml").write_text(text)

    return write


def adds_up(report):
    parts = (report.accepted, report.blocked, report.duplicates, report.suppressed, report.dropped)
    return report.events_in == sum(parts)


def test_omit_loads_the_rest_and_keeps_the_event_as_it_came(workspace, configure, load, raw):
    configure({"on_violation": "omit"})

    report = load(BROKEN)

    assert (report.accepted, report.blocked, report.example) == (1, 0, "")
    assert adds_up(report)
    assert raw(
        workspace,
        "select order_id, total, currency, context_protocols_omitted from raw.order_completed",
    ) == [("o1", None, "RUB", '["$.properties.total"]')]
    assert raw(workspace, "select context_protocols_omitted from raw.tracks") == [
        ('["$.properties.total"]',)
    ]
    ((action, rule, path, payload),) = raw(
        workspace, "select action, rule, path, payload from raw.violations"
    )
    assert (action, rule, path) == ("omit", "type", "$.properties.total")
    given = json.loads(payload)
    assert {field: given[field] for field in BROKEN} == BROKEN
    assert set(given) - set(BROKEN) <= {"traits", "context", "integrations"}


def test_the_archive_keeps_the_event_as_it_came(workspace, configure, load, raw):
    configure({"on_violation": "omit"})
    event = {**BROKEN, "receivedAt": datetime.now(UTC).isoformat()}

    load(event)

    found = raw(workspace, f"select raw from read_parquet('{workspace.archive}/*/*.parquet')")
    assert [json.loads(text) for (text,) in found] == [event]


def test_what_cannot_be_left_out_is_let_in_with_a_row_of_its_own(workspace, configure, load, raw):
    configure({"on_violation": "omit"})

    report = load(track("m1", order_id=5, currency="RUB"))

    assert report.accepted == 1
    assert raw(workspace, "select action, rule, path from raw.violations order by action") == [
        ("allow", "required", "$.properties.total"),
        ("omit", "type", "$.properties.order_id"),
    ]


def test_allow_loads_all_of_it(workspace, configure, load, raw):
    configure({"on_violation": "allow"})

    report = load(BROKEN)

    assert (report.accepted, report.blocked) == (1, 0)
    # The contract gives `total` a number; what is none is kept where nothing is lost.
    assert raw(workspace, "select total, _rescued from raw.order_completed") == [
        (None, '{"/properties/id":"own","/properties/total":"5"}')
    ]
    assert raw(workspace, "select action, rule from raw.violations") == [("allow", "type")]


def test_unplanned_properties_are_left_out_and_kept(workspace, configure, load, raw):
    configure({"unplanned_properties": "omit"})

    report = load(track("m1", **ORDER, coupon="X"))

    assert report.accepted == 1
    assert raw(
        workspace, "select action, rule, path, payload->>'$.properties.coupon' from raw.violations"
    ) == [("omit", "unplanned_property", "$.properties.coupon", "X")]
    columns = raw(workspace, "select column_name from (describe raw.order_completed)")
    assert ("coupon",) not in columns


def test_an_unplanned_event_is_kept_back_with_its_reason(workspace, configure, load, raw):
    configure({"unplanned_events": "block", "on_violation": "allow"})

    report = load(track("m1", "Order Complete", a=1), track("m2", **ORDER))

    assert (report.accepted, report.blocked) == (1, 1)
    assert raw(workspace, "select message_id, action, rule, path from raw.violations") == [
        ("m1", "block", "unplanned_event", "$.event")
    ]
    assert "Order Complete" in report.example


def test_a_source_has_its_own_policy(workspace, configure, write_ndjson, raw):
    configure({}, web={"contracts": {"on_violation": "omit"}}, server={})

    for source in ("web", "server"):
        event = {**BROKEN, "messageId": source}
        load_files(workspace, [write_ndjson([event], f"{source}.ndjson")], source=source)

    assert raw(workspace, "select source_id, action from raw.violations order by 1") == [
        ("server", "block"),
        ("web", "omit"),
    ]
    assert raw(workspace, "select id from raw.order_completed") == [("web",)]


def test_what_was_blocked_is_told_again_when_it_is_let_in(
    workspace, configure, load, write_ndjson, raw
):
    load(BROKEN)
    configure({"on_violation": "omit"})

    again = write_ndjson([BROKEN, BROKEN], "again.ndjson")
    report = load_files(Workspace(workspace.root), [again])

    assert (report.accepted, report.duplicates) == (1, 1)
    assert raw(workspace, "select action, load_id from raw.violations order by 2") == [
        ("block", 1),
        ("omit", 2),
    ]


def test_an_event_names_the_version_of_its_contract(workspace, load, raw):
    version_2 = {
        "name": "Order Completed",
        "version": 2,
        "rules": {"required": ["amount"], "properties": {"amount": {"type": "integer"}}},
    }
    (workspace.schemas / "track/order_completed.v2.json").write_text(json.dumps(version_2))
    of_version_2 = {"context": {"protocols": {"event_version": 2}}}

    report = load(
        track("m1", **ORDER),
        {**track("m2", amount=5), **of_version_2},
        track("m3", amount=5),
        {**track("m4", **ORDER), **of_version_2},
    )

    assert (report.accepted, report.blocked) == (2, 2)
    assert raw(workspace, "select id, total, amount from raw.order_completed order by 1") == [
        ("m1", 5.0, None),
        ("m2", None, 5),
    ]


def test_columns_of_every_version_exist_before_the_first_event(workspace, load, raw):
    version_2 = {"name": "Order Completed", "version": 2, "rules": {"properties": {"tip": {}}}}
    version_2["rules"]["properties"]["tip"] = {"type": "number"}
    (workspace.schemas / "track/v2.json").write_text(json.dumps(version_2))

    load({**track("m1", "Other"), "userId": "u"})

    columns = dict(
        raw(workspace, "select column_name, column_type from (describe raw.order_completed)")
    )
    assert (columns["total"], columns["tip"]) == ("DOUBLE", "DOUBLE")


@pytest.mark.parametrize(("policy", "exit_code"), [("block", 3), ("omit", 0), ("allow", 0)])
def test_only_what_is_kept_back_changes_the_exit_code(
    workspace, configure, write_ndjson, policy, exit_code
):
    configure({"on_violation": policy})
    name = write_ndjson([BROKEN])

    assert main(["load", name, "--workspace", str(workspace.root)]) == exit_code
