import duckdb


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
