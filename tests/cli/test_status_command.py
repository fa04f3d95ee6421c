from datetime import UTC, datetime, timedelta

import duckdb

from loader.locks import exclusive
from tests.spool.place import line, padded, put

EMPTY = {
    "bytes": 0,
    "sealed_segments": 0,
    "open_segments": 0,
    "oldest_received_at": None,
    "age_seconds": None,
    "workers": [],
}
PAGE = {"type": "page", "userId": "u"}


def test_a_new_workspace_has_every_table_and_nothing_in_it(headwater, workspace):
    found = headwater("status", "--json").document

    assert {table["rows"] for table in found["tables"]} == {0}
    assert {"tracks", "identifies", "pages", "groups", "violations"} <= {
        table["name"] for table in found["tables"]
    }
    assert (found["loads"], found["violations"], found["violations_total"]) == ([], {}, 0)
    assert (found["transform"], found["syncs"], found["lake_files"]) == (None, [], 0)


def test_what_was_loaded_and_what_was_blocked_is_counted(headwater, workspace, events):
    headwater("load", events({}, {"total": -1}, {"total": "1"}, {"currency": "GBP"}))

    found = headwater("status", "--json").document

    rows = {table["name"]: table for table in found["tables"]}
    assert rows["order_completed"]["rows"] == 1
    assert rows["order_completed"]["newest_received_at"] == "2025-03-04T10:00:00Z"
    assert found["violations"] == {"enum": 1, "minimum": 1, "type": 1}
    assert found["violations_total"] == 3
    assert found["loads"][0]["load_id"] == 1
    assert found["lake_bytes"] > 0


def test_a_sync_that_never_ran_is_listed(headwater, workspace):
    (workspace.root / "headwater.yml").write_text(
        "destinations: {hook: {type: webhook, base_url: 'http://127.0.0.1:9'}}\n"
        "syncs: {users: {destination: hook, model: users, key: {id: canonical_user_id}}}\n"
    )

    found = headwater("status", "--json").document

    assert [(sync["name"], sync["state"]) for sync in found["syncs"]] == [("users", "never ran")]


def test_it_answers_while_the_warehouse_is_read_elsewhere(headwater, workspace, events):
    headwater("load", events({}))

    with duckdb.connect(workspace.warehouse, read_only=True):
        ended = headwater("status")

    assert ended.code == 0
    assert "order_completed" in ended.out
    assert "none yet" in ended.out


def test_without_a_collector_the_spool_is_empty(headwater, workspace):
    assert headwater("status", "--json").document["spool"] == EMPTY
    assert "spool: empty; no collector at work" in headwater("status").out


def test_what_waits_in_the_spool_is_told_with_its_age(headwater, workspace):
    now = datetime.now(UTC)
    old, new = (line(PAGE, at=(now - timedelta(seconds=s)).isoformat()) for s in (90, 10))
    size = len(put(workspace.spool, padded(new), worker=0, suffix=".open").read_bytes())
    size += len(put(workspace.spool, padded(b"damaged\n", old), worker=1).read_bytes())
    size += len(put(workspace.spool, padded(new), worker=1, number=2).read_bytes())

    with exclusive(workspace.spool / "0" / "lock", "collector worker"):
        found = headwater("status", "--json").document["spool"]
        told = headwater("status").out

    assert (found["bytes"], found["sealed_segments"], found["open_segments"]) == (size, 2, 1)
    assert 90 <= found["age_seconds"] < 150
    oldest = datetime.fromisoformat(found["oldest_received_at"])
    assert abs((now - timedelta(seconds=90)) - oldest) < timedelta(milliseconds=1)
    assert len(found["workers"]) == 1
    assert f"in 3 segments (1 open), oldest {oldest:%Y-%m-%d %H:%M:%S}" in told
    assert f"collector at work (process {found['workers'][0]})" in told


def test_what_is_loaded_waits_no_more_even_if_a_killed_load_left_it(headwater, workspace):
    segment = padded(line(PAGE))
    put(workspace.spool, segment)
    headwater("load")
    put(workspace.spool, segment)

    assert headwater("status", "--json").document["spool"] == EMPTY
