import json

import pytest


@pytest.fixture
def blocked(headwater, events):
    """Two orders whose total is text, one whose currency is unknown and one that is fine."""
    headwater("load", events({"total": "1"}, {"total": "2"}, {"currency": "X"}, {}))


def mend(workspace):
    (workspace.schemas / "track" / "order_completed.json").unlink()


def test_list_counts_what_is_kept_back_by_event_and_rule(headwater, workspace, blocked):
    ended = headwater("violations", "list", "--json")

    found = {(group["event"], group["rule"]): group for group in ended.document}
    assert ended.code == 0
    assert {key: group["events"] for key, group in found.items()} == {
        ("Order Completed", "type"): 2,
        ("Order Completed", "enum"): 1,
    }
    group = found["Order Completed", "type"]
    assert group["message"] == '"2" is a string; the contract wants a number >= 0'
    assert (group["message_id"], group["path"]) == ("m-1", "$.properties.total")
    assert group["first_seen_at"] == group["last_seen_at"] == "2025-03-04T10:00:00Z"


def test_list_is_a_table_for_a_person(headwater, workspace, blocked):
    ended = headwater("violations", "list", "--rule", "type")

    assert ended.code == 0
    assert "$.properties.total" in ended.out
    assert "enum" not in ended.out


def test_rows_come_with_their_payload_in_json(headwater, workspace, blocked):
    ended = headwater("violations", "list", "--rows", "--event", "Order Completed", "--json")

    assert len(ended.document) == 3
    totals = {row["message_id"]: row["payload"]["properties"]["total"] for row in ended.document}
    assert totals == {"m-0": "1", "m-1": "2", "m-2": 14500}
    assert {row["is_open"] for row in ended.document} == {True}


def test_a_limit_that_cuts_something_off_is_told(headwater, workspace, blocked):
    ended = headwater("violations", "list", "--rows", "--limit", "2", "--json")

    assert len(ended.document) == 2
    assert "only the first 2" in ended.err


def test_retry_loads_what_passes_the_mended_contract_and_then_nothing_is_left(
    headwater, workspace, blocked
):
    mend(workspace)

    one = headwater("violations", "retry", "--message", "m-0", "--json")
    rest = headwater("violations", "retry")
    nothing = headwater("violations", "retry")

    assert (one.code, one.document["events_in"], one.document["accepted"]) == (0, 1, 1)
    assert (rest.code, nothing.code) == (0, 0)
    assert "2 of 2 events loaded" in rest.out
    assert "nothing is kept back" in nothing.out
    assert headwater("violations", "list", "--json").document == []
    everything = headwater("violations", "list", "--all", "--json").document
    assert sum(group["events"] for group in everything) == 3
    count = headwater("query", "select count(*) as n from raw.order_completed", "--json")
    assert count.document == [{"n": 4}]


def test_what_still_fails_is_a_repeat_and_0_and_what_fails_anew_is_3(headwater, workspace, blocked):
    same = headwater("violations", "retry")
    contract = workspace.schemas / "track" / "order_completed.json"
    document = json.loads(contract.read_text())
    document["rules"]["required"] = ["voucher"]
    document["rules"]["properties"].pop("total")
    contract.write_text(json.dumps(document))

    other = headwater("violations", "retry")

    assert (same.code, other.code) == (0, 3)
    assert "3 stay kept back" in same.out
    assert "3 of them for another reason than before" in other.out
    assert "$.properties.voucher" in other.out


def test_since_takes_a_day_and_refuses_what_is_no_time(headwater, workspace, blocked):
    since = headwater("violations", "list", "--since", "2025-03-05", "--json")
    wrong = headwater("violations", "list", "--since", "yesterday")

    assert (since.code, since.document) == (0, [])
    assert wrong.code == 2


def test_what_events_hold_is_shown_and_not_obeyed(headwater, workspace, events):
    headwater("load", events({"currency": "\x1b[2J"}))

    assert "\x1b" not in headwater("violations", "list").out
