import json
import os

from loader.warehouse import read_manifest


def load(headwater, tmp_path, *properties, event="Seat Taken", start=0):
    lines = [
        {
            "type": "track",
            "event": event,
            "userId": "u",
            "messageId": f"m{start + number}",
            "receivedAt": "2024-05-01T10:00:00Z",
            "properties": found,
        }
        for number, found in enumerate(properties)
    ]
    path = tmp_path / f"{start}.ndjson"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert headwater("load", path).code == 0


def test_small_files_become_one_and_it_says_so(headwater, workspace, tmp_path):
    for start in range(3):
        load(headwater, tmp_path, {"a": start}, start=start)
    assert headwater("status", "--json").document["files_to_compact"] == 6

    told = headwater("compact", "--json").document

    assert (told["files_before"], told["files_after"], told["rows"]) == (6, 2, 6)
    assert told["tables"] == {"seat_taken": 1, "tracks": 1}
    status = headwater("status", "--json").document
    assert status["files_to_compact"] == 0
    assert status["retired_bytes"] == told["bytes_before"]
    assert headwater("compact").out == "nothing to compact\n"
    assert "MB retired" in headwater("status").out


def test_a_table_that_does_not_exist_is_wrong_usage(headwater, workspace):
    ended = headwater("compact", "nowhere")

    assert ended.code == 2
    assert "compact nowhere: there is no such table in raw" in ended.err


def test_columns_take_their_contracts_types(headwater, workspace, tmp_path):
    load(headwater, tmp_path, {"row": "1", "seats": 1}, {"row": "x", "seats": "two"})
    contract = {"name": "Seat Taken", "rules": {"properties": {"row": {"type": "integer"}}}}
    (workspace.schemas / "track" / "seat_taken.json").write_text(json.dumps(contract))

    ended = headwater("compact", "--retype", "seat_taken")

    assert ended.code == 0
    assert "seat_taken.row: text is int; 0 values back from _rescued, 1 moved there" in ended.out
    assert "seat_taken.seats: int is text; 1 values back from _rescued, 0 moved there" in ended.out
    assert "headwater transform -- --full-refresh" in ended.err
    query = "select row, seats, _rescued from raw.seat_taken order by _seq"
    assert headwater("query", query, "--json").document == [
        {"row": 1, "seats": "1", "_rescued": None},
        {"row": None, "seats": "two", "_rescued": '{"/properties/row":"x"}'},
    ]
    again = headwater("compact", "--retype", "seat_taken", "row", "--json")
    assert again.document["columns"] == []


def test_retype_wants_a_table(headwater, workspace):
    ended = headwater("compact", "--retype")

    assert ended.code == 2
    assert "--retype takes one table, or a table and one of its columns" in ended.err


def test_a_run_compacts_by_itself_what_has_come_to_rest(headwater, workspace, tmp_path):
    for start in range(3):
        load(headwater, tmp_path, {"a": start}, start=start)
    long_ago = 1_700_000_000
    for path in workspace.lake.rglob("*.parquet"):
        os.utime(path, (long_ago, long_ago))
    (workspace.root / "dbt_project.yml").unlink()

    stages = headwater("run", "--json").document["stages"]

    assert [stage["stage"] for stage in stages] == ["load", "compact", "transform"]
    assert stages[1]["reports"][0]["files_before"] == 6
    dates = [file.date for file in read_manifest(workspace).files]
    assert dates.count("2024-05-01") == 2
