"""Reads the archive back, event by event, as forwarding and replay want it."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from loader.archive.writer import SCHEMA
from loader.config import Workspace
from loader.event.envelope import Event, Shared, normalise, share

_decode_event = msgspec.json.Decoder(dict[str, Any]).decode
_decode_shared = msgspec.json.Decoder(Shared).decode


@dataclass(frozen=True, slots=True)
class Archived:
    """One accepted event: `raw` as it came but for its write key, `shared` said with its batch."""

    seq: int
    id: str
    source_id: str
    type: str
    event: str | None
    received_at: datetime
    shared: str | None
    raw: str


def read_archive(
    workspace: Workspace, *, next_load_id: int, first_load_id: int = 1
) -> Iterator[Archived]:
    """The events of loads from `first_load_id` on, in the order of `_seq`.

    `next_load_id` is the manifest's: what a load wrote counts once it was committed. One part of a
    load is held at a time. Days that are removed meanwhile, being too old, are passed over.
    """
    parts: dict[tuple[int, int], list[Path]] = defaultdict(list)
    for path in workspace.archive.glob("_date=*/*.parquet"):
        load_id, _, part = path.stem.partition("-")
        if first_load_id <= int(load_id) < next_load_id:
            parts[int(load_id), int(part or 0)].append(path)
    for _, paths in sorted(parts.items()):
        tables = []
        for path in paths:
            with suppress(FileNotFoundError), pq.ParquetFile(path) as file:
                tables.append(file.read())
        if tables:
            rows = pa.concat_tables(tables).sort_by("_seq")
            for batch in rows.to_batches(max_chunksize=10_000):
                columns = [batch.column(name).to_pylist() for name in SCHEMA.names]
                yield from map(Archived, *columns)


def whole_event(row: Archived) -> Event:
    """The event as its load saw it: with all that was said for its batch, an id and receivedAt."""
    event: Event = _decode_event(row.raw)
    event.pop("_metadata", None)
    if row.shared is not None:
        share(event, _decode_shared(row.shared), {})
    event["receivedAt"] = row.received_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    normalise(event, {})
    event["messageId"] = row.id
    return event
