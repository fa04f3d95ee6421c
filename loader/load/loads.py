"""The log of loads, raw.loads: what each brought to which table and days."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pyarrow as pa

from loader.event.values import ARROW
from loader.warehouse import LakeWriter, Manifest
from loader.warehouse.catalog import fixed_columns

TABLE = "loads"


def log_load(
    lake: LakeWriter, manifest: Manifest, tables: Mapping[str, int], *, first_seq: int
) -> None:
    """Write a row for each of `tables`, with the rows and days that the load at work brought.

    Where several load into one warehouse, the order of commits is told when it counts there.
    """
    schema = pa.schema({name: ARROW[kind] for name, kind in fixed_columns(TABLE).items()})
    committed_at = datetime.now(UTC)
    rows = [
        {
            "load_id": manifest.next_load_id,
            "committed_at": committed_at,
            "table_name": table,
            "dates": sorted(lake.days_of(table)),
            "rows": count,
            "commit_order": manifest.next_load_id,
            "first_seq": first_seq,
        }
        for table, count in sorted(tables.items())
    ]
    days = pa.array([committed_at.date()] * len(rows), pa.date32())
    lake.write(TABLE, pa.Table.from_pylist(rows, schema), days, manifest.catalog)
