"""The log of loads, raw.loads: what each brought to which table and days."""

from collections.abc import Mapping, Set
from datetime import UTC, date, datetime

import pyarrow as pa

from loader.event.values import ARROW
from loader.warehouse import LakeWriter, Manifest
from loader.warehouse.catalog import fixed_columns

TABLE = "loads"


def log_load(
    lake: LakeWriter, manifest: Manifest, tables: Mapping[str, tuple[int, Set[date]]]
) -> None:
    """Write a row for each of `tables`, with the rows and days that the load at work brought."""
    schema = pa.schema({name: ARROW[kind] for name, kind in fixed_columns(TABLE).items()})
    committed_at = datetime.now(UTC)
    rows = [
        {
            "load_id": manifest.next_load_id,
            "committed_at": committed_at,
            "table_name": table,
            "dates": sorted(dates),
            "rows": count,
        }
        for table, (count, dates) in sorted(tables.items())
    ]
    days = pa.array([committed_at.date()] * len(rows), pa.date32())
    lake.write(TABLE, pa.Table.from_pylist(rows, schema), days, manifest.catalog)
