"""Accepted events on their way into raw tables: buffered, settled, written by table and day."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from loader.event.envelope import BODY_FIELD, Event
from loader.event.naming import CALL_TABLES, table_name
from loader.event.values import ARROW, ColumnType, json_text
from loader.load.buffer import TableBuffer
from loader.load.clock import Stated, Times, settle_times
from loader.load.settle import settle
from loader.warehouse import Catalog, LakeWriter
from loader.warehouse.catalog import fixed_columns

_TRACKS = "tracks"
_PART_BYTES = 512 * 1024 * 1024  # held as Arrow before they are written, which bounds memory
# Fields of the envelope that have columns, are known not to be stored, or name the call itself.
_COMMON_FIELDS = frozenset(
    {
        *("messageId", "anonymousId", "userId", "type", "context"),
        *("receivedAt", "sentAt", "originalTimestamp", "timestamp"),
        *("integrations", "channel", "version", "projectId", "writeKey", "_metadata"),
    }
)
_OWN_FIELDS = {
    "track": ("event",),
    "identify": (),
    "page": ("name", "category"),
    "screen": ("name", "category"),
    "group": ("groupId",),
    "alias": ("previousId",),
}
_KNOWN_FIELDS = {
    call: _COMMON_FIELDS | {BODY_FIELD[call], *fields} for call, fields in _OWN_FIELDS.items()
}
_PAGE_FIELDS = ("name", "category")
_ARRIVALS = pa.schema(
    {"_seq": pa.int64(), "received_at": ARROW[ColumnType.TIMESTAMP], "_date": pa.date32()}
)


class RowWriter:
    """Takes accepted events in order and writes them as the files of one load."""

    def __init__(self, lake: LakeWriter, catalog: Catalog, *, load_id: int, now: datetime) -> None:
        self.rows: dict[str, int] = {}
        self.dates: dict[str, set[Any]] = {}
        self._lake = lake
        self._catalog = catalog
        self._load_id = load_id
        self._now = now
        self._names = defaultdict[str, set[str]](set)  # table -> events that meet in it
        self._buffers: dict[str, TableBuffer] = {}
        self._chunks: dict[str, list[pa.Table]] = {}
        self._held_bytes = 0

    def add(self, event: Event, seq: int, source: str, rescued: dict[str, Any]) -> None:
        """Take one event, normalised and accepted."""
        call = event["type"]
        if call == "track":
            name = event["event"]
            table = table_name(name)
            own: tuple[Any, ...] = (table, name)
            self._names[table].add(name)
        else:
            table = CALL_TABLES[call]
            own = tuple(
                event.get(field) or None for field in _OWN_FIELDS[call] if field.endswith("Id")
            )
        for field in sorted(event.keys() - _KNOWN_FIELDS[call]):
            if event[field] not in (None, {}):
                rescued[f"/{field.replace('~', '~0').replace('/', '~1')}"] = event[field]
        buffer = self._buffers.get(table)
        if buffer is None:
            buffer = self._buffers[table] = self._new_buffer(table)
        body = BODY_FIELD[call]
        parts = {f"/{body}": event[body], "/context": event["context"]}
        if call in ("page", "screen"):
            parts = {"": {field: event.get(field) for field in _PAGE_FIELDS}, **parts}
        row = (
            event["messageId"],
            event.get("anonymousId") or None,
            event.get("userId") or None,
            event.get("receivedAt"),
            event.get("sentAt"),
            event.get("originalTimestamp"),
            event.get("timestamp"),
            source,
            seq,
            *own,
        )
        buffer.add(row, parts, rescued)

    def flush(self) -> pa.Table:
        """Settle what is buffered into Arrow; write files once enough is held.

        Gives each event's `_seq`, `received_at` and `_date`, in the order of arrival.
        """
        buffers = {table: buffer for table, buffer in self._buffers.items() if buffer.rows}
        fixed = {table: list(zip(*b.rows, strict=True)) for table, b in buffers.items()}
        added = settle(
            buffers, {table: columns[8] for table, columns in fixed.items()}, self._catalog
        )
        arrivals = [_ARRIVALS.empty_table()]
        for table, buffer in buffers.items():
            times = settle_times(buffer, Stated(*fixed[table][3:7]), self._now)
            arrived = [pa.array(fixed[table][8], pa.int64()), times.received_at, times.date]
            arrivals.append(pa.table(arrived, schema=_ARRIVALS))
            self._hold(table, buffer, fixed[table], times, added[table])
            buffer.clear()
        if self._held_bytes >= _PART_BYTES:
            self.write()
        return pa.concat_tables(arrivals).sort_by("_seq")

    def write(self) -> None:
        """Write all that is held."""
        for table, chunks in self._chunks.items():
            rows = pa.concat_tables(chunks, promote_options="permissive")
            dates = rows.column("_date")
            self._lake.write(table, rows, dates.combine_chunks(), self._catalog)
            self.rows[table] = self.rows.get(table, 0) + len(rows)
            self.dates.setdefault(table, set()).update(dates.unique().to_pylist())
        self._chunks = {}
        self._held_bytes = 0

    def names_that_meet(self) -> list[str]:
        """Tables and columns into which two or more names of events or keys went, for a report."""
        tables = [
            f"{table}: {', '.join(map(repr, sorted(names)))}"
            for table, names in sorted(self._names.items())
            if len(names) > 1
        ]
        return tables + [
            f"{table}.{column}: {', '.join(sorted(pointers))}"
            for table, buffer in sorted(self._buffers.items())
            for column, pointers in sorted(buffer.met.items())
            if not pointers <= {f"/{column}", f"/properties/{column}"}  # a page's own name
        ]

    def _new_buffer(self, table: str) -> TableBuffer:
        known = self._catalog.tables.get(table)
        return TableBuffer(
            frozenset(fixed_columns(table)), frozenset(known.field_ids if known else ())
        )

    def _hold(
        self,
        table: str,
        buffer: TableBuffer,
        fixed: Sequence[Sequence[Any]],
        times: Times,
        added: Mapping[str, pa.Array],
    ) -> None:
        count = len(buffer.rows)
        text = ARROW[ColumnType.TEXT]
        columns = {
            "id": pa.array(fixed[0], text),
            "anonymous_id": pa.array(fixed[1], text),
            "user_id": pa.array(fixed[2], text),
            "received_at": times.received_at,
            "sent_at": times.sent_at,
            "original_timestamp": times.original_timestamp,
            "timestamp": times.timestamp,
            "source_id": pa.array(fixed[7], text),
            "_seq": pa.array(fixed[8], pa.int64()),
            "loaded_at": pa.repeat(pa.scalar(self._now, ARROW[ColumnType.TIMESTAMP]), count),
            "load_id": pa.repeat(pa.scalar(self._load_id, pa.int64()), count),
            "_date": times.date,
        }
        own = [name for name in fixed_columns(table) if name not in columns and name != "_rescued"]
        columns |= {name: pa.array(v, text) for name, v in zip(own, fixed[9:], strict=True)}
        context = {name: array for name, array in added.items() if name.startswith("context_")}
        self._hold_chunk(table, {**columns, **added, "_rescued": _as_json(buffer.rescued, count)})
        if "event" in columns:
            shared = {
                row: outside
                for row, found in buffer.rescued.items()
                if (outside := {p: v for p, v in found.items() if not p.startswith("/properties")})
            }
            for name in context:
                self._catalog.add_column(_TRACKS, name, self._catalog.context[name].type)
            self._hold_chunk(_TRACKS, {**columns, **context, "_rescued": _as_json(shared, count)})

    def _hold_chunk(self, table: str, columns: dict[str, pa.Array]) -> None:
        if table not in self._catalog.tables:
            self._catalog.add_table(table)
        chunk = pa.table(columns)
        self._chunks.setdefault(table, []).append(chunk)
        self._held_bytes += chunk.nbytes


def _as_json(rescued: Mapping[int, Mapping[str, Any]], count: int) -> pa.Array:
    if not rescued:
        return pa.nulls(count, pa.string())
    texts = [json_text(rescued[row]) if row in rescued else None for row in range(count)]
    return pa.array(texts, pa.string())
