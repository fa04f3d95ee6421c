"""What `violations list` shows: counts by event and rule, or rows."""

from datetime import UTC, datetime

from loader.load import Selection, list_violations, load_files, summarise_violations
from tests.load.test_retry import mend, order, retry


def summary(workspace, *, is_all=False, limit=100, **selection):
    groups, _ = summarise_violations(
        workspace, Selection(**selection), is_all=is_all, max_groups=limit
    )
    return {(group.event, group.rule): group.events for group in groups}


def test_events_are_counted_by_name_and_rule_whatever_the_places_where_they_broke_it(
    workspace, load
):
    load(
        order(1),
        {**order(2, total="x", order_id=5), "receivedAt": "2025-03-05T00:00:00Z"},
        order(3, currency="XXX", total=1),
        {"type": "identify", "messageId": "m-4"},
        b"not JSON",
    )

    [group] = summarise_violations(workspace, Selection(rule="type"), is_all=False, max_groups=9)[0]

    assert summary(workspace) == {
        ("Order Completed", "type"): 2,
        ("Order Completed", "enum"): 1,
        ("identify", "no_identity"): 1,
        (None, "malformed"): 1,
    }
    assert group.first_seen_at == datetime(2025, 3, 4, 10, 0, 12, 345678, tzinfo=UTC)
    assert group.last_seen_at == datetime(2025, 3, 5, tzinfo=UTC)
    assert (group.message_id, group.sources) == ("m-2", ["file"])
    assert (group.path, group.message) == (
        "$.properties.total",
        '"x" is a string; the contract wants a number >= 0',
    )


def test_what_was_loaded_since_is_shown_only_if_asked_for(workspace, load):
    load(order(1), order(2))
    load(order(1, total=1))

    assert summary(workspace) == {("Order Completed", "type"): 1}
    assert summary(workspace, is_all=True) == {("Order Completed", "type"): 2}
    rows, _ = list_violations(workspace, Selection(), is_all=True, max_rows=10)
    assert {row.message_id: row.is_open for row in rows} == {"m-1": False, "m-2": True}

    mend(workspace)
    retry(workspace)

    assert summary(workspace) == {}


def test_a_fresh_block_in_the_load_that_takes_the_event_is_none(workspace, load):
    load(order(1), order(1, total=1), order(2, total=1), order(2))

    assert summary(workspace) == {}


def test_each_condition_narrows_it(workspace, load, write_ndjson):
    load(order(1), {"type": "page", "messageId": "m-2"})
    late = {**order(3), "receivedAt": "2025-09-01T00:00:00Z"}
    load_files(workspace, [write_ndjson([late], "late.ndjson")], source="server")

    found = [
        summary(workspace, event="page"),
        summary(workspace, rule="type"),
        summary(workspace, source="server"),
        summary(workspace, since=datetime(2025, 8, 1, tzinfo=UTC), rule="type"),
        summary(workspace, message_ids=("m-1",)),
        summary(workspace, event="page", rule="type"),
    ]

    order_type = ("Order Completed", "type")
    assert found == [
        {("page", "no_identity"): 1},
        {order_type: 2},
        {order_type: 1},
        {order_type: 1},
        {order_type: 1},
        {},
    ]


def test_more_than_asked_for_is_said_to_be_more(workspace, load):
    load(order(1), order(2), order(3), b"not JSON")

    rows, is_cut = list_violations(workspace, Selection(), is_all=False, max_rows=2)
    groups, are_cut = summarise_violations(workspace, Selection(), is_all=False, max_groups=2)

    assert (len(rows), is_cut) == (2, True)
    assert (len(groups), are_cut) == (2, False)


def test_a_new_workspace_has_none(workspace, load):
    load()

    assert summary(workspace) == {}
    assert retry(workspace).events_in == 0
