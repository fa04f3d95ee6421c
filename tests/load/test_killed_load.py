"""A load that is killed at any moment and repeated."""

import json
import os
import random
import time

from loader.load import load_files
from loader.warehouse import read_manifest
from tests.conftest import make_workspace

FILES, EVENTS = 5, 4_000
KILLS = 20


def write_events(folder):
    paths = [folder / f"{number}.ndjson" for number in range(FILES)]
    for number, path in enumerate(paths):
        path.write_text(
            "".join(
                json.dumps(
                    {
                        "type": "track",
                        "event": f"Event {i % 3}",
                        "userId": f"u{i % 97}",
                        "messageId": f"{number}-{i}",
                        "receivedAt": f"2024-05-0{1 + i % 4}T10:00:00Z",
                        "properties": {"total": i, "text": f"text {i}", f"only_{number}": True},
                    }
                )
                + "\n"
                for i in range(EVENTS)
            )
        )
    return [str(path) for path in paths]


def count_files(workspace):
    return sum(len(names) for _, _, names in os.walk(workspace.home))


def unlisted(workspace):
    """Every file of the workspace's state that should not be there after a load."""
    manifest = read_manifest(workspace)
    listed = {workspace.lake / file.file for file in manifest.files}
    listed |= {workspace.ids / run.file for run in manifest.id_runs}
    listed |= {workspace.manifest, workspace.warehouse, *workspace.versions.rglob("*")}
    listed |= {workspace.home / "load.lock", workspace.home / "swap.lock"}
    listed |= {workspace.spool / "seal", *workspace.spool.glob("[0-9]*/lock")}
    archived = workspace.archive.glob("_date=*/[0-9]*.parquet")
    listed |= {p for p in archived if int(p.stem.split("-")[0]) < manifest.next_load_id}
    return {path for path in workspace.home.rglob("*") if path.is_file()} - listed


def test_every_event_is_there_once_however_often_its_load_was_killed(
    workspace, tmp_path, raw, nursery
):
    paths = write_events(tmp_path)
    undisturbed = make_workspace(tmp_path / "undisturbed")
    started = time.monotonic()
    nursery.start(undisturbed, paths[:1])
    assert nursery.wait()[0] == 0
    lasts = time.monotonic() - started
    at_random = random.Random(7)

    outcomes = []
    for number in range(KILLS):
        nursery.start(workspace, paths[: 1 + number * FILES // KILLS])
        if number % 2:
            nursery.has_ended(within_seconds=at_random.uniform(0, lasts))
        else:
            wanted = count_files(workspace) + at_random.randint(1, 25)
            while count_files(workspace) < wanted and not nursery.has_ended(0.003):
                pass
        outcomes.append(nursery.kill())
    nursery.start(workspace, paths)
    assert nursery.wait()[0] == 0

    assert outcomes.count(-9) >= KILLS // 4, "too few were killed for this to prove anything"
    total = FILES * EVENTS
    assert raw(workspace, "select count(*), count(distinct id) from raw.tracks") == [(total, total)]
    for number in range(3):
        wanted = sum(i % 3 == number for i in range(EVENTS)) * FILES
        found = raw(workspace, f"select count(*), count(distinct id) from raw.event_{number}")
        assert found == [(wanted, wanted)]
    assert raw(workspace, "select sum(rows) from raw.loads where table_name = 'tracks'") == [
        (total,)
    ]
    assert raw(workspace, "select count(distinct _seq) from raw.tracks") == [(total,)]
    assert unlisted(workspace) == set()
    assert load_files(workspace, paths).already_loaded == paths
