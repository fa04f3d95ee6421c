"""Accepted events on their way into raw tables: buffered, settled, written by table and day."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from loader.event.envelope import BODY_FIELD, Event
from loader.event.naming import CALL_TABLES, table_name
from loader.event.values import ARROW, ColumnType
from loader.load.buffer import TableBuffer, as_pointer
from loader.load.clock import Stated, Times, parse_stated, rescue_unused, settle_times
from loader.load.kernel import Chunk, Kernel
from loader.load.parts import MAX_CELLS, in_parts
from loader.load.room import Room
from loader.load.settle import settle
from loader.warehouse import Catalog, RowSink

_TRACKS = "tracks"
_NAMES_KEPT, _NAMES_TOLD = 100, 10  # of events that meet in one table
_PART_BYTES = 192 * 1024 * 1024  # held as Arrow before they are written, which bounds memory
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
_OWN_COLUMNS = {"groups": "group_id", "aliases": "previous_id"}
# Where things stand in a buffered row.
_TEXTS = {"id": 0, "anonymous_id": 1, "user_id": 2, "source_id": 7}
_OWN_PLACE = 9
_STATED = ("received_at", "sent_at", "original_timestamp", "timestamp")
_TEXT = ARROW[ColumnType.TEXT]
_ARRIVALS = pa.schema(
    {"_seq": pa.int64(), "received_at": ARROW[ColumnType.TIMESTAMP], "_date": pa.date32()}
)


class RowWriter:
    """Takes accepted events, singly or as chunks of the kernel's, and hands on the load's files."""

    def __init__(
        self, lake: RowSink, catalog: Catalog, room: Room, *, load_id: int, now: datetime
    ) -> None:
        self.rows: dict[str, int] = {}
        self._lake = lake
        self._catalog = catalog
        self._load_id = load_id
        self._now = now
        self._names = defaultdict[str, set[str]](set)  # table -> events that meet in it
        self._buffers: dict[str, TableBuffer] = {}
        self._calls: dict[str, str] = {}
        self._chunks: dict[str, list[pa.Table]] = {}
        self._held_bytes = 0
        self._room = room

    def add(self, event: Event, seq: int, source: str, rescued: dict[str, Any]) -> None:
        """Take one event, normalised and accepted."""
        call = event["type"]
        if call == "track":
            name = event["event"]
            table = table_name(name)
            own: tuple[Any, ...] = (name,)
            table = self._home_of(table, name)
        else:
            table = CALL_TABLES[call]
            own = tuple(
                event.get(field) or None for field in _OWN_FIELDS[call] if field.endswith("Id")
            )
        for field in sorted(event.keys() - _KNOWN_FIELDS[call]):
            if event[field] not in (None, {}):
                rescued[f"/{as_pointer(field)}"] = event[field]
        buffer = self._buffers.get(table)
        if buffer is None:
            buffer = self._buffers[table] = TableBuffer(table, self._catalog, self._room)
            self._calls[table] = call
        body = BODY_FIELD[call]
        parts = {f"/{body}": event[body], "/context": event["context"]}
        if table == _TRACKS:
            kept = {f"/{body}/{as_pointer(key)}": value for key, value in event[body].items()}
            rescued |= {pointer: value for pointer, value in kept.items() if value is not None}
            del parts[f"/{body}"]
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

    def teach(self, kernel: Kernel) -> None:
        """Let `kernel` know the tables, names and keys that events have brought since last time."""
        for table, buffer in self._buffers.items():
            if buffer.learnt and table != _TRACKS:
                call = self._calls[table]
                kernel.learn(table, call, sorted(self._names[table]), buffer.learnt)
                buffer.learnt = []

    def flush(self) -> pa.Table:
        """Settle what is buffered into Arrow.

        Gives each event's `_seq`, `received_at` and `_date`, in the order of arrival.
        """
        buffers = {table: buffer for table, buffer in self._buffers.items() if buffer.rows}
        fixed = {table: list(zip(*b.rows, strict=True)) for table, b in buffers.items()}
        added = settle(
            buffers, {table: columns[8] for table, columns in fixed.items()}, self._catalog
        )
        arrivals = [_ARRIVALS.empty_table()]
        for table, buffer in buffers.items():
            listed = fixed[table]
            stated = parse_stated(buffer, Stated(*listed[3:7]), self._now)
            times = settle_times(stated, self._now)
            seqs = pa.array(listed[8], pa.int64())
            arrivals.append(pa.table([seqs, times.received_at, times.date], schema=_ARRIVALS))
            columns = {name: pa.array(listed[place], _TEXT) for name, place in _TEXTS.items()}
            if len(listed) > _OWN_PLACE:
                columns["own"] = pa.array(listed[_OWN_PLACE], _TEXT)
            columns["_seq"] = seqs
            if buffer.nulls:
                columns["_nulls"] = buffer.nulls_json()
            self._hold(table, columns, times, added[table], buffer.rescued_json())
            buffer.clear()
        return pa.concat_tables(arrivals).sort_by("_seq")

    def add_chunk(
        self, table: str, chunk: Chunk, source_ids: pa.Array, added: Mapping[str, pa.Array]
    ) -> Times:
        """Take rows of the kernel with the columns `added`; what came of their times."""
        fixed, count = chunk.fixed, chunk.rows
        for name in added:
            self._catalog.add_column(table, name, ColumnType.TEXT)  # new ones have types already
        stated = Stated(*(fixed[name] for name in _STATED))
        times = settle_times(stated, self._now)
        rescued = pa.nulls(count, _TEXT)
        if fixed["stated"].null_count < count:
            rescued = rescue_unused(stated, fixed["stated"], self._now)
        names = ("id", "anonymous_id", "user_id", "own", "_seq")
        columns = {name: fixed[name] for name in names} | {"source_id": source_ids}
        if fixed["_nulls"].null_count < count:
            columns["_nulls"] = fixed["_nulls"]
        self._hold(table, columns, times, added, (rescued, rescued))
        return times

    @property
    def is_wide(self) -> bool:
        """Whether what is buffered should be flushed, few events as it may be."""
        cells = sum(len(b.rows) * len(b.columns) for b in self._buffers.values() if b.rows)
        return cells > MAX_CELLS

    @property
    def is_full(self) -> bool:
        """Whether so much is held that it should be written."""
        return self._held_bytes >= _PART_BYTES

    def write(self) -> None:
        """Hand over all that is held to be written, once what came before it is."""
        self._lake.wait()
        for table, chunks in self._chunks.items():
            for part in in_parts(chunks):
                rows = pa.concat_tables(part, promote_options="permissive")
                self._lake.write(table, rows, rows.column("_date"), self._catalog)
                self.rows[table] = self.rows.get(table, 0) + len(rows)
        self._chunks = {}
        self._held_bytes = 0

    def names_that_meet(self) -> list[str]:
        """Tables and columns into which two or more names of events or keys went, for a report."""
        tables = [
            f"{table}: {', '.join(map(repr, sorted(names)[:_NAMES_TOLD]))}"
            for table, names in sorted(self._names.items())
            if len(names) > 1
        ]
        columns = [
            f"{table}.{column}: {', '.join(sorted(pointers))}"
            for table, buffer in sorted(self._buffers.items())
            for column, pointers in sorted(buffer.met.items())
            if not pointers <= {f"/{column}", f"/properties/{column}"}  # a page's own name
        ]
        return [*_some(tables, "tables"), *_some(columns, "columns")]

    def without_room(self) -> list[str]:
        """What to tell of events that got no table of their own, and of keys without a column."""
        told = [
            f"{table}: no more columns: {buffer.overflow} and whatever else is new is in _rescued"
            for table, buffer in sorted(self._buffers.items())
            if buffer.overflow
        ]
        return [*_some(told, "tables"), *self._room.turned_away()]

    def sample_of(self, table: str, column: str | None) -> str | None:
        """The name of an event of this load that goes into `table`, or the column's pointer."""
        if column is None:
            return min(self._names.get(table, ()), default=None)
        buffer = self._buffers.get(table)
        found = buffer.columns.get(column) if buffer else None
        return found.pointer if found else None

    def _home_of(self, table: str, name: str) -> str:
        """Where an event goes: its own `table`, or `tracks` if there are too many already."""
        is_there = table in self._buffers or table in self._catalog.tables
        if is_there or self._room.take_table(name):
            names = self._names[table]
            if len(names) < _NAMES_KEPT:
                names.add(name)
            return table
        return _TRACKS

    def _hold(
        self,
        table: str,
        given: Mapping[str, pa.Array],
        times: Times,
        added: Mapping[str, pa.Array],
        rescued: tuple[pa.Array, pa.Array],
    ) -> None:
        """Keep rows of `table`, and those of track events for `tracks` too.

        `rescued` is what each of the two has in `_rescued`.
        """
        count = len(given["id"])
        columns = {
            **given,
            "received_at": times.received_at,
            "sent_at": times.sent_at,
            "original_timestamp": times.original_timestamp,
            "timestamp": times.timestamp,
            "loaded_at": pa.repeat(pa.scalar(self._now, ARROW[ColumnType.TIMESTAMP]), count),
            "load_id": pa.repeat(pa.scalar(self._load_id, pa.int64()), count),
            "_flags": times.flags,
            "_date": times.date,
        }
        own = columns.pop("own", None)
        is_track = self._calls[table] == "track"
        if is_track:
            columns |= {"event": _tables_of(table, own), "event_text": own}
        elif table in _OWN_COLUMNS:
            columns[_OWN_COLUMNS[table]] = own
        self._hold_chunk(table, {**columns, **added, "_rescued": rescued[0]})
        if is_track and table != _TRACKS:
            context = {name: array for name, array in added.items() if name.startswith("context_")}
            for name in context:
                self._catalog.add_column(_TRACKS, name, self._catalog.context[name].type)
            self._hold_chunk(_TRACKS, {**columns, **context, "_rescued": rescued[1]})

    def _hold_chunk(self, table: str, columns: dict[str, pa.Array]) -> None:
        if table not in self._catalog.tables:
            self._catalog.add_table(table)
        chunk = pa.table(columns)
        self._chunks.setdefault(table, []).append(chunk)
        self._held_bytes += chunk.nbytes


def _some(told: list[str], what: str) -> list[str]:
    """The first of `told`, and how many there are beyond."""
    rest = len(told) - _NAMES_TOLD
    return [*told[:_NAMES_TOLD], f"and so in {rest:,} {what} more"] if rest > 0 else told


def _tables_of(table: str, names: pa.Array) -> pa.Array:
    """The column `event` of rows of `table`; those of `tracks` have no table of their own."""
    if table != _TRACKS:
        return pa.repeat(pa.scalar(table), len(names))
    return pa.array([table_name(name) for name in names.to_pylist()], _TEXT)
