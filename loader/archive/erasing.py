"""Events of the archive that go for good."""

from collections.abc import Callable, Collection

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loader.archive.reader import archived_loads, whole_event
from loader.archive.writer import rewrite_file
from loader.config import Workspace
from loader.durable import refused, sync
from loader.event.envelope import Event


def find_events(
    workspace: Workspace, next_load_id: int, is_wanted: Callable[[Event], bool]
) -> set[str]:
    """The ids of archived events that are wanted, as their loads saw them."""
    return {
        row.id
        for load in archived_loads(workspace, range(next_load_id))
        for row in load.events()
        if is_wanted(whole_event(row))
    }


def count_events(workspace: Workspace, ids: Collection[str]) -> int:
    """How many archived events have one of the `ids`."""
    values = pa.array(sorted(ids), pa.string())
    paths = workspace.archive.glob("_date=*/[0-9]*.parquet")
    return sum(
        int(
            pc.sum(
                pc.is_in(pq.ParquetFile(path).read(columns=["id"])["id"], value_set=values)
            ).as_py()
            or 0
        )
        for path in paths
    )


def erase_events(workspace: Workspace, ids: Collection[str]) -> int:
    """Take events out by their ids, a file at a time; in how many files they were.

    Durable when it returns; killed before, it has done a part. To be called under load.lock. Raises
    StorageError if the disk refuses.
    """
    values = pa.array(sorted(ids), pa.string())
    files = 0
    for path in sorted(workspace.archive.glob("_date=*/[0-9]*.parquet")):
        with pq.ParquetFile(path) as stored:
            is_gone = pc.is_in(stored.read(columns=["id"])["id"], value_set=values)
            count = pc.sum(is_gone).as_py() or 0
            rows = stored.read().filter(pc.invert(is_gone)) if count else None
        if rows is None:
            continue
        if len(rows):
            rewrite_file(path, rows)
        else:
            try:
                path.unlink()
                sync(path.parent)
            except OSError as problem:
                raise refused(path, problem) from problem
        files += 1
    return files
