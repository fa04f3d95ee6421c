"""A load that is killed at any moment and repeated: the tables are as if nothing had happened."""

import json
import os
import random
import shutil
import time
from pathlib import Path

import pytest

from loader.archive import read_archive
from loader.config import Workspace
from loader.load import load_files
from loader.warehouse import connect, read_manifest
from loader.warehouse.views import quote
from tests.conftest import make_workspace

FILES = 4
SEED = random.randrange(2**32)  # told where a test fails; put it here to see that again


def line_of(number):
    """One of many events: most are good; some are torn, blocked, sent again, or of a type apart."""
    if number % 997 == 5:
        return f'{{"event":"torn {number}'
    day = f"2024-05-0{1 + number % 4}T10:00:{number % 60:02}Z"
    total = f"{number}" if number % 101 else number + 0.5 if number % 3 else number
    order = {"order_id": f"o{number}", "currency": "RUB", "total": "a" if number % 7 else 5}
    is_order = number % 503 == 7
    event = {
        "type": "track",
        "event": "Order Completed" if is_order else f"Event {number % 3}",
        "userId": f"u{number % 97}",
        "messageId": f"{number - 1_000 * (number % 211 == 0)}",
        "receivedAt": day,
        "properties": order if is_order else {"total": total, f"only_{number % 5}": True},
    }
    if number % 401 == 9:
        event = {"batch": [event, {**event, "messageId": f"also {number}"}], "sentAt": day}
    return json.dumps(event)


def write_events(folder, events):
    """Files that are loaded in one load, and one that is loaded before them."""
    paths, size = [], events // FILES
    spans = [range(first, first + size) for first in range(0, events, size)]
    for number, numbers in enumerate([*spans, range(900, 1_900)]):
        paths.append(str(folder / f"{number}.ndjson"))
        text = "".join(f"{line_of(number)}\n" for number in numbers)
        Path(paths[-1]).write_text(text)
    return paths[:-1], paths[-1]


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


TORN = "rule = 'malformed'"  # such a line has no time of its own
COLUMNS = {
    "loads": "* exclude (load_id, committed_at, _date)"
    " replace (if(table_name = 'violations', null, dates) as dates)",
    "schema_changes": "* exclude (load_id, changed_at, _date)",
    "violations": "* exclude (load_id)"
    f" replace (if({TORN}, null, received_at) as received_at, if({TORN}, null, _date) as _date)",
}


def content(workspace):
    """All rows of all tables, but for when and in which order they were loaded."""
    found = {}
    with connect(workspace) as connection:
        for table in sorted(read_manifest(workspace).catalog.tables):
            columns = COLUMNS.get(table, "* exclude (loaded_at, load_id, _seq)")
            query = f"select {columns} from raw.{quote(table)} order by all"
            found[table] = connection.execute(query).fetchall()
    return found


def archived(workspace):
    next_load_id = read_manifest(workspace).next_load_id
    return [(row.id, row.raw) for row in read_archive(workspace, next_load_id=next_load_id)]


def prepare(folder, name, before):
    """A workspace that has loaded the file `before`."""
    workspace = make_workspace(folder / name)
    with (workspace.root / "headwater.yml").open("a") as config:
        config.write("\nretention: {archive_days: 100000}\n")
    load_files(workspace, [before])
    return workspace


# The second is more than a load holds before it settles what it has, so that it does so twice.
@pytest.mark.parametrize(("events", "kills"), [(4_000, 50), (52_000, 5)])
def test_a_load_killed_at_any_moment_and_repeated_has_the_same_tables(
    tmp_path, nursery, events, kills
):
    at_random = random.Random(SEED)
    paths, before = write_events(tmp_path, events)
    prepared = prepare(tmp_path, "prepared", before)
    undisturbed = copy_of(prepared, tmp_path / "undisturbed")
    lasts = seconds_of(nursery, undisturbed, paths)
    wanted, wanted_archive = content(undisturbed), archived(undisturbed)

    killed = copies = 0
    workspace = copy_of(prepared, tmp_path / "0")
    while killed < kills:
        started = time.monotonic()
        nursery.start(workspace, paths)
        if nursery.has_ended(within_seconds=at_random.uniform(0, lasts)):
            lasts = min(lasts, time.monotonic() - started)
        killed += nursery.kill() == -9
        if killed == kills or read_manifest(workspace).version > read_manifest(prepared).version:
            seconds_of(nursery, workspace, paths)

            assert content(workspace) == wanted, f"seed {SEED}, after {killed} kills"
            assert archived(workspace) == wanted_archive
            assert unlisted(workspace) == set()
            assert load_files(workspace, paths).already_loaded == paths
            copies += 1
            workspace = copy_of(prepared, tmp_path / str(copies))


def seconds_of(nursery, workspace, paths):
    """How long the load lasts, undisturbed."""
    started = time.monotonic()
    nursery.start(workspace, paths)
    assert nursery.wait()[0] == 0
    return time.monotonic() - started


def copy_of(workspace, root):
    return Workspace(Path(shutil.copytree(workspace.root, root)))
