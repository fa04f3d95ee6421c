"""Events that loads accepted, from the archive: for where the tables of calls are in BigQuery."""

from loader.archive import archived_loads
from loader.config import Workspace
from loader.warehouse.views import as_pattern, text


def archived_events(workspace: Workspace, load_ids: range) -> str:
    """What gives id, source_id, received_at and load_id of these loads' events, in SQL."""
    loads = archived_loads(workspace, load_ids)
    paths = [path for load in loads for part in load.parts for path in part]
    if not paths:
        return (
            "select '' as id, '' as source_id, cast(null as timestamptz) as received_at, "
            "0 as load_id where false"
        )
    files = ", ".join(text(as_pattern(path)) for path in paths)
    return (
        "select id, source_id, received_at, "
        "cast(regexp_extract(filename, '/([0-9]+)[^/]*$', 1) as bigint) as load_id "
        f"from read_parquet([{files}], filename = true, hive_partitioning = false)"
    )
