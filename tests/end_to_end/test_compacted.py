"""Models that were built before a compaction, and go on after it, are as if there had been none."""

from loader.load import load_files
from loader.scaffold import create_workspace
from loader.transform import transform
from loader.warehouse import compact, connect, read_manifest
from tests.end_to_end.road import MODELS_ONLY

MARTS = ("events", "orders", "users", "user_identifiers", "computed_traits")


def orders(first, count):
    return [
        {
            "type": "track",
            "event": "Order Completed",
            "userId": f"usr_{number % 7}",
            "messageId": f"m-{number}",
            "receivedAt": f"2025-03-0{1 + number % 3}T10:00:00Z",
            "properties": {"order_id": f"o-{number}", "total": 100 + number, "currency": "RUB"},
        }
        for number in range(first, first + count)
    ]


def marts(workspace):
    with connect(workspace) as connection:
        return {
            mart: sorted(
                map(repr, connection.execute(f"select * from analytics.{mart}").fetchall())
            )
            for mart in MARTS
        }


def test_incremental_models_neither_lose_nor_double_what_was_compacted(tmp_path, write_ndjson):
    workspace = create_workspace(tmp_path / "ws")
    as_of = "2025-04-01T00:00:00+00:00"
    as_of_option = ["--vars", f'{{"as_of": "{as_of}"}}', *MODELS_ONLY]

    def load(first, count):
        load_files(workspace, [write_ndjson(orders(first, count), f"{first}.ndjson")])

    load(0, 20)
    load(20, 20)
    transform(workspace, arguments=as_of_option)
    load(40, 20)
    assert compact(workspace).files_before > 0
    load(60, 20)
    transform(workspace, arguments=as_of_option)
    compact(workspace)
    transform(workspace, arguments=as_of_option)
    found = marts(workspace)

    assert len(found["events"]) == len(found["orders"]) == 80
    transform(workspace, arguments=[*as_of_option, "--full-refresh"])
    assert marts(workspace) == found
    assert {file.load_id for file in read_manifest(workspace).files if file.date < "2026"} == {4}
