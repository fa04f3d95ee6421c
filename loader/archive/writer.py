"""Writes what a load accepted to archive/_date=YYYY-MM-DD/<load_id>.parquet."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loader.config import Workspace
from loader.durable import replacing, sync
from loader.event.envelope import Shared
from loader.event.values import TIMESTAMP_ARROW

SCHEMA: Final = pa.schema(
    {
        "_seq": pa.int64(),
        "id": pa.string(),
        "source_id": pa.string(),
        "type": pa.string(),
        "event": pa.string(),
        "received_at": TIMESTAMP_ARROW,
        "shared": pa.string(),
        "raw": pa.string(),
    }
)
LOADED_AT: Final = "loaded_at"  # in the footer: the load's moment, in ISO 8601
_CHUNK: Final = pa.schema([*SCHEMA, pa.field("_date", pa.date32())])
_PART_BYTES: Final = 128 * 1024 * 1024  # held as Arrow before they are written: bounds memory
_DICTIONARIES: Final = ["source_id", "type", "event", "shared"]  # elsewhere no value comes again
_STATISTICS: Final = ["_seq", "received_at", *_DICTIONARIES[:3]]
_OPTIONS: Final[dict[str, Any]] = {
    "compression": "zstd",
    "compression_level": 1,
    "use_dictionary": _DICTIONARIES,
    "write_statistics": _STATISTICS,
    "store_schema": False,
}
_split = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_NOTHING_SHARED: Final = Shared()


class ArchiveWriter:
    """Takes one load's events in the order of `_seq`; they count once the load's commit does.

    What was received before `oldest` is not written: its day would be removed at once.
    """

    def __init__(
        self, workspace: Workspace, load_id: int, *, oldest: date, loaded_at: datetime
    ) -> None:
        self._folder = workspace.archive
        self._load_id = load_id
        self._footer = {LOADED_AT: loaded_at.isoformat()}
        self._oldest = oldest
        self._rows: list[tuple[Any, ...]] = []
        self._text = bytearray()  # of all rows: what they were cut from need not be held
        self._ends = [0]
        self._chunks: list[pa.Table] = []
        self._held_bytes = 0
        self._parts = 0

    def add(
        self, fields: tuple[int, str, str, str, Any], shared: Shared | None, text: bytes
    ) -> None:
        """Take one event: (_seq, id, source, type, event), and its JSON without a write key."""
        self._rows.append((*fields, shared))
        self._text += text
        self._ends.append(len(self._text))

    def flush(self, received_at: pa.Array, dates: pa.Array) -> None:
        """Give the events taken since the last time their times and days, in the same order."""
        if not self._rows:
            return
        *columns, shared = zip(*self._rows, strict=True)
        arrays = [pa.array(v, f.type) for v, f in zip(columns, SCHEMA, strict=False)]
        ends = pa.py_buffer(np.array(self._ends, np.int32))
        raw = pa.StringArray.from_buffers(len(self._rows), ends, pa.py_buffer(self._text))
        arrays += [received_at, _as_json(shared), raw, dates]
        self._rows, self._text, self._ends = [], bytearray(), [0]
        self.add_chunk(dict(zip(_CHUNK.names, arrays, strict=True)))

    def add_chunk(self, columns: Mapping[str, pa.Array]) -> None:
        """Take events as the columns of SCHEMA and their days, `_date` (date32).

        Those without their JSON are too old, and passed over.
        """
        if columns["raw"].null_count == len(columns["raw"]):
            return
        chunk = pa.table([columns[name] for name in _CHUNK.names], schema=_CHUNK)
        self._chunks.append(chunk)
        self._held_bytes += chunk.nbytes

    @property
    def is_full(self) -> bool:
        """Whether so much is held that it should be written; parts come in the order of `_seq`."""
        return self._held_bytes >= _PART_BYTES

    def write(self) -> None:
        """Write all that is held, a file a day; durable but for the names of new folders."""
        if not self._chunks:
            return
        if not self._parts:
            self._remove_earlier_attempt()
        rows = pa.concat_tables(self._chunks)
        self._chunks, self._held_bytes = [], 0
        part = f"-{self._parts}" if self._parts else ""
        days = rows["_date"].unique().to_pylist()
        for day in days:
            if day < self._oldest:
                continue
            path = self._folder / f"_date={day}" / f"{self._load_id}{part}.parquet"
            found = rows if len(days) == 1 else rows.filter(pc.equal(rows["_date"], day))
            _write(path, found.drop_columns("_date"), self._footer)
        self._parts += 1

    def _remove_earlier_attempt(self) -> None:
        """What a load of this number wrote that never was committed would else count with ours.

        A killed load is swept up after, but a power cut may take the mark that it left.
        """
        for pattern in (f"_date=*/{self._load_id}.parquet", f"_date=*/{self._load_id}-*.parquet"):
            for path in self._folder.glob(pattern):
                path.unlink()

    def sync_folders(self) -> None:
        """Make the names of new days durable; the manifest may count on them after this."""
        if self._parts and self._folder.is_dir():
            sync(self._folder)
            sync(self._folder.parent)


def rewrite_file(path: Path, rows: pa.Table) -> None:
    """Let a file of the archive hold `rows` instead of its own; durable when it returns."""
    stated = (pq.read_metadata(path).metadata or {}).get(LOADED_AT.encode())
    _write(path, rows, {LOADED_AT: stated.decode()} if stated else {})


def _write(path: Path, rows: pa.Table, footer: Mapping[str, str]) -> None:
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, rows.schema, **_OPTIONS) as file,
    ):
        file.write_table(rows)
        file.add_key_value_metadata(footer)


def without_write_key(text: bytes) -> bytes:
    """An event's JSON without its own `writeKey`, which is there; all else keeps its very text."""
    before, found, rest = text.partition(b',"writeKey":"')
    key, _, after = rest.partition(b'"')
    # Where the name stands but once, and nothing could spell it otherwise, it is the event's own.
    others = (before, after)
    is_alone = not any(b"writeKey" in part or b"\\u" in part for part in others)
    if found and is_alone and b"\\" not in key:
        return before + after
    members = _split(text)
    members.pop("writeKey", None)
    return msgspec.json.encode(members)


def shared_json(shared: Shared | None) -> bytes | None:
    """What a request said, as the archive keeps it; None if that is nothing."""
    is_empty = shared is None or shared == _NOTHING_SHARED
    return None if is_empty else msgspec.json.encode(shared)


def _as_json(shared: Sequence[Shared | None]) -> pa.Array:
    """Texts of what requests said; the events of one follow each other and are encoded once."""
    texts: list[bytes | None] = []
    last: Shared | None = None
    text: bytes | None = None
    for found in shared:
        if found is not last:
            last = found
            text = shared_json(found)
        texts.append(text)
    return pa.array(texts, pa.string())
