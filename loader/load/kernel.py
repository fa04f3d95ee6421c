"""The way of ordinary events: read by compiled code, straight from their text into columns.

An event is ordinary if every key of it has filled its column before, every value fits, its envelope
is as the SDKs send it, and it keeps its contract. All others are left to Python, which learns from
them: keys and tables that are new to it are known to the kernel from the next events on. So Python
alone decides what events mean, and without a compiler all events go its way.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from loader.archive import shared_json
from loader.event.envelope import CLIENT_LIBRARIES
from loader.event.identifiers import types_at
from loader.event.values import ARROW, ColumnType, parse_moment, type_of
from loader.ledger import DIGEST, Digests
from loader.load.buffer import LearntKey
from loader.load.intake import Block, Request, Sources
from loader.transformations import Privacy
from loader.warehouse import Catalog
from loader.warehouse.catalog import TypeState, fixed_columns

try:
    from loader import _kernel
except ImportError:  # no compiler was there when this was installed
    _kernel = None  # type: ignore[assignment]

_ROOTS: Final = {"/context": "context", "/properties": "body", "/traits": "body", "": "outer"}
_FIXED: Final = {
    "id": ColumnType.TEXT,
    "anonymous_id": ColumnType.TEXT,
    "user_id": ColumnType.TEXT,
    "received_at": ColumnType.TIMESTAMP,
    "sent_at": ColumnType.TIMESTAMP,
    "original_timestamp": ColumnType.TIMESTAMP,
    "timestamp": ColumnType.TIMESTAMP,
    "source_id": ColumnType.INT,
    "_seq": ColumnType.INT,
    "own": ColumnType.TEXT,
    "raw": ColumnType.TEXT,
    "request": ColumnType.INT,
    "parts": ColumnType.INT,
    "stated": ColumnType.TEXT,
    "_nulls": ColumnType.TEXT,
}
# What an event's context may say itself, in the order of the bits of `parts`.
PARTS: Final = ("browser", "os", "device", "location")
_NO_SOURCE: Final = -1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def is_usable() -> bool:
    """Whether the compiled code is there, and HEADWATER_KERNEL=off doesn't forbid it."""
    return _kernel is not None and os.environ.get("HEADWATER_KERNEL") != "off"


@dataclass(frozen=True)
class Chunk:
    """Rows of one table: its fixed columns as stated (`own`: the event's name or other id, `raw`:
    its JSON, `request`: which one it came with, `parts`: bits of PARTS that its context has,
    `stated`: its timestamp beside another originalTimestamp; `_nulls`), and those that events
    have added.
    """

    rows: int
    fixed: dict[str, pa.Array]
    added: dict[str, pa.Array]


@dataclass(frozen=True)
class Scanned:
    """A block of events whose envelopes were read: which of them are `odd`, for Python to read, and
    the keys of the others' ids.
    """

    block: Block
    odd: list[int]
    keys: Digests
    envelopes: Any = None  # without the kernel there are none


def unscanned(block: Block) -> Scanned:
    """A block whose events are all for Python."""
    count = len(block.texts)
    return Scanned(block, list(range(count)), np.zeros(count, DIGEST))


class Kernel:
    """Takes what it can of one load's events; `rules` gives a table's contract (see rules.py)."""

    def __init__(
        self,
        catalog: Catalog,
        sources: Sources,
        privacy: Privacy,
        rules: Callable[[str, str], dict[str, Any] | None],
        *,
        now: datetime,
        raw_since: datetime,
    ) -> None:
        self._catalog = catalog
        self._rules = rules
        self._tables: dict[str, Any] = {}
        self._states: dict[str, dict[str, TypeState]] = {}  # as the kernel has them
        self._calls: dict[str, str] = {}
        self._sources: list[str] = []
        self._shared: list[bytes | None] = []  # of each request, without and with its address
        reader = self._reader = _kernel.Reader()
        reader.now = (now - _EPOCH) // now.resolution
        reader.raw_since = (raw_since - _EPOCH) // now.resolution
        reader.client_libraries = set(CLIENT_LIBRARIES)
        reader.suppressed_users = set(privacy.suppressed_users)
        reader.suppressed_devices = set(privacy.suppressed_devices)
        self._forgotten = privacy.forgotten
        for name, digests in privacy.forgotten.digests.items():
            reader.suppress(privacy.forgotten.key, name, list(digests))
        reader.default_source = self._source(sources.default)
        if sources.only is not None:
            reader.only_source = self._source(sources.only)
        if not sources.reports_unknown:
            reader.unknown_source = reader.default_source
        for key, name in sources.by_key.items():
            reader.add_source(key, self._source(name))

    def scan(self, block: Block) -> Scanned:
        """The envelopes of a block's events. One thread may scan while another one takes."""
        said = [self._said(request) for request in block.requests]
        envelopes = _kernel.Scan(block.texts, block.owners, said)
        is_odd = np.frombuffer(envelopes.odd(), np.bool_)
        keys = np.frombuffer(bytearray(envelopes.keys()), DIGEST)
        return Scanned(block, np.flatnonzero(is_odd).tolist(), keys, envelopes)

    def take(
        self, scanned: Scanned, is_wanted: npt.NDArray[np.bool_], first_seq: int
    ) -> npt.NDArray[np.bool_]:
        """Take the wanted ones of what was scanned, if they are ordinary; which were taken.

        Their `_seq` counts from `first_seq` over all that was scanned.
        """
        flags, first_request = is_wanted.tobytes(), len(self._shared)
        for request in scanned.block.requests:
            self._shared += [shared_json(request.shared), shared_json(request.with_ip)]
        taken = self._reader.take(scanned.envelopes, flags, first_seq, first_request)
        return np.frombuffer(taken, np.bool_)

    def learn(self, table: str, call: str, names: Sequence[str], keys: Sequence[LearntKey]) -> None:
        """Know `table`, the names of its events if they are track events, and keys with columns."""
        found = self._tables.get(table)
        if found is None:
            keeps_nulls = "_nulls" in fixed_columns(table)
            found = self._tables[table] = self._reader.add_table(
                self._rules(table, call), keeps_nulls
            )
            self._states[table] = {}
            self._calls[table] = call
            if call != "track":
                self._reader.name_call(call, found)
        for name in names:
            self._reader.name_event(name, found)
        for key in keys:
            if key.of_null:
                found.name_null(key.path, key.column)
                continue
            state = self._catalog.state_of(table, key.column)
            if state is not None:
                known = self._states[table].setdefault(key.column, replace(state))
                kind = _kernel_type(known.type)
                path = (key.root.removeprefix("/"), *key.path)
                identifies = types_at(*path, types=self._forgotten.digests)
                found.add_key(_ROOTS[key.root], key.path, key.column, kind, list(identifies))
                if known.has_big_ints:
                    found.set_column(key.column, kind, known.has_big_ints)

    def finish(self) -> dict[str, Chunk]:
        """The rows taken since the last time, by table; the kernel has none then."""
        chunks = {}
        for name, table in self._tables.items():
            rows, fixed, added = table.finish()
            if rows:
                states = self._states[name]
                chunks[name] = Chunk(
                    rows,
                    {
                        column: _array(rows, kind, found)
                        for (column, kind), found in zip(_FIXED.items(), fixed, strict=True)
                    },
                    {column: _array(rows, states[column].type, f) for column, f in added.items()},
                )
        return chunks

    def archived(self, table: str, chunk: Chunk) -> dict[str, pa.Array]:
        """What the archive keeps of the chunk's events, but for their source and times."""
        fixed, call = chunk.fixed, self._calls[table]
        name = fixed["own"]
        return {
            "_seq": fixed["_seq"],
            "id": fixed["id"],
            "type": pa.repeat(pa.scalar(call), chunk.rows),
            "event": name if call == "track" else pa.nulls(chunk.rows, name.type),
            "shared": pc.take(pa.array(self._shared, pa.string()), fixed["request"]),
            "raw": fixed["raw"],
        }

    def renew(self) -> None:
        """Forget what chunks needed, take over types that have widened; before the next row."""
        self._shared = []
        for name, states in self._states.items():
            for column, known in states.items():
                state = self._catalog.state_of(name, column)
                if state is not None and state != known:
                    states[column] = replace(state)
                    kind = _kernel_type(state.type)
                    self._tables[name].set_column(column, kind, state.has_big_ints)

    def source_ids(self, chunk: Chunk) -> pa.Array:
        """The chunk's `source_id`, as names."""
        return pc.take(pa.array(self._sources, pa.string()), chunk.fixed["source_id"])

    def _source(self, name: str) -> int:
        if name not in self._sources:
            self._sources.append(name)
        return self._sources.index(name)

    def _said(self, request: Request) -> tuple[Any, ...]:
        """What the kernel has to know of a request: the fields of struct Request."""
        envelope, shared = request.envelope, request.shared
        if envelope is None:  # of a file: a plain line, or else a batch or a damaged line
            is_odd = shared is not None or request.damaged_at is not None
            return (is_odd, _NO_SOURCE, None, None, None, "", False)
        assert shared is not None  # noqa: S101 - it comes with the envelope
        received_at = _microseconds(envelope.received_at)
        sent_at = _microseconds(shared.sent_at)
        is_odd = (
            envelope.source is None
            or received_at is None
            or (sent_at is None and shared.sent_at is not None)
            or bool(shared.context)
        )
        source = self._source(envelope.source or "")
        ip = envelope.ip or ""
        return (is_odd, source, shared.type, received_at, sent_at, ip, envelope.browser)


def _microseconds(stated: object) -> int | None:
    """An ISO time with a zone, since 1970; None for anything else."""
    if not isinstance(stated, str) or type_of(stated) is not ColumnType.TIMESTAMP:
        return None
    moment = parse_moment(stated)
    return None if moment is None else (moment - _EPOCH) // moment.resolution


def _kernel_type(kind: ColumnType) -> Any:
    return getattr(_kernel.Type, kind.name)


def _array(rows: int, kind: ColumnType, found: tuple[int, list[Any]] | None) -> pa.Array:
    arrow = ARROW[kind]
    if found is None:
        return pa.nulls(rows, arrow)
    nulls, buffers = found
    return pa.Array.from_buffers(arrow, rows, [pa.py_buffer(b) for b in buffers], nulls)
