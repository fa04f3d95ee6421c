"""A disk that is full, played by a limit on the size of a file."""

from hashlib import sha256

import pytest

from loader.load import load_files
from loader.warehouse import read_manifest
from tests.load.test_killed_load import unlisted

EVENTS = [
    {
        "type": "track",
        "event": f"Event {number % 3}",
        "userId": "u",
        "messageId": f"m{number}",
        "receivedAt": f"2024-05-0{1 + number % 5}T10:00:00Z",
        "properties": {"noise": sha256(str(number).encode()).hexdigest() * 2},
    }
    for number in range(3_000)
]


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(
    ("max_file_bytes", "refused_at", "is_committed"),
    [(4_096, "lake/", False), (40_000, "ids/", False), (120_000, "warehouse.duckdb", True)],
)
def test_a_full_disk_is_told_and_nothing_is_half_written(
    workspace, write_ndjson, raw, nursery, is_first, max_file_bytes, refused_at, is_committed
):
    if not is_first:
        load_files(workspace, [write_ndjson([{"type": "page", "userId": "u"}], "before")])
    before = read_manifest(workspace)
    path = write_ndjson(EVENTS)

    nursery.start(workspace, [path], max_file_bytes)
    code, outcome = nursery.wait()

    assert code == 0
    assert outcome["error"] == "StorageError"
    assert refused_at in outcome["message"]
    assert "File too large" in outcome["message"]
    assert "Fix: make room" in outcome["message"]
    assert (read_manifest(workspace).version > before.version) == is_committed
    assert list(workspace.home.rglob("*tmp")) == []
    listed = {file.file for file in read_manifest(workspace).files}
    lake = workspace.lake.rglob("*.parquet")
    assert {str(path.relative_to(workspace.lake)) for path in lake} == listed

    report = load_files(workspace, [path])

    assert report.accepted == (0 if is_committed else len(EVENTS))
    assert raw(workspace, "select count(*), count(distinct id) from raw.tracks") == [(3_000, 3_000)]
    assert unlisted(workspace) == set()
