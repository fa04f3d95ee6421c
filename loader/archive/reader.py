"""Reads the archive back: event by event, as forwarding and replay want it, or load by load."""

from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from loader.archive.writer import LOADED_AT, SCHEMA
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

    @property
    def request(self) -> Shared | None:
        """What was said with its batch."""
        return None if self.shared is None else _decode_shared(self.shared)


@dataclass(frozen=True)
class ArchivedLoad:
    """What the archive has of one load: the days, and for each part of it the files."""

    load_id: int
    days: frozenset[date]
    parts: Sequence[Sequence[Path]]

    def events(self) -> Iterator[Archived]:
        """Its events in the order of `_seq`; one part is held at a time.

        Days that are removed meanwhile, being too old, are passed over.
        """
        for paths in self.parts:
            tables = []
            for path in paths:
                with suppress(FileNotFoundError), pq.ParquetFile(path) as file:
                    tables.append(file.read())
            if tables:
                rows = pa.concat_tables(tables).sort_by("_seq")
                for batch in rows.to_batches(max_chunksize=10_000):
                    columns = [batch.column(name).to_pylist() for name in SCHEMA.names]
                    yield from map(Archived, *columns)

    def loaded_at(self) -> datetime | None:
        """The load's moment, as its rows have it; None if it was archived before that was kept."""
        for path in (path for paths in self.parts for path in paths):
            with suppress(FileNotFoundError):
                stated = (pq.read_metadata(path).metadata or {}).get(LOADED_AT.encode())
                return datetime.fromisoformat(stated.decode()) if stated else None
        return None


def archived_loads(workspace: Workspace, wanted: Container[int]) -> list[ArchivedLoad]:
    """The loads of the archive whose id is `wanted`, in the order of their ids.

    What a load wrote counts once it was committed, so ids from the manifest's next one on must not
    be wanted.
    """
    found: dict[int, dict[int, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for path in workspace.archive.glob("_date=*/*.parquet"):
        load_id, _, part = path.stem.partition("-")
        if int(load_id) in wanted:
            found[int(load_id)][int(part or 0)].append(path)
    return [
        ArchivedLoad(
            load_id,
            frozenset(_day_of(path) for paths in parts.values() for path in paths),
            [parts[part] for part in sorted(parts)],
        )
        for load_id, parts in sorted(found.items())
    ]


def read_archive(
    workspace: Workspace, *, next_load_id: int, first_load_id: int = 1
) -> Iterator[Archived]:
    """The events of loads from `first_load_id` up to `next_load_id`, in the order of `_seq`.

    `next_load_id` is the manifest's: what a load wrote counts once it was committed.
    """
    for load in archived_loads(workspace, range(first_load_id, next_load_id)):
        yield from load.events()


def _day_of(path: Path) -> date:
    return date.fromisoformat(path.parent.name.removeprefix("_date="))


def whole_event(row: Archived) -> Event:
    """The event as its load saw it: with all that was said for its batch, an id and receivedAt."""
    event: Event = _decode_event(row.raw)
    event.pop("_metadata", None)
    if (request := row.request) is not None:
        share(event, request, {})
    event["receivedAt"] = row.received_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    normalise(event, {})
    event["messageId"] = row.id
    return event
