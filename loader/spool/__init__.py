"""The spool: what the collector has acknowledged and no load has loaded yet, as durable lines."""

from loader.spool.buffer import LineBuffer
from loader.spool.lag import SpoolLag, read_lag
from loader.spool.line import Envelope, encode_line
from loader.spool.reading import SpoolLine, read_spool
from loader.spool.sealing import claim_folder, recover, seal_all, seal_requested_at
from loader.spool.segments import Segment, delete_segments, sealed_segments, spool_size
from loader.spool.writer import SpoolWriter

__all__ = [
    "Envelope",
    "LineBuffer",
    "Segment",
    "SpoolLag",
    "SpoolLine",
    "SpoolWriter",
    "claim_folder",
    "delete_segments",
    "encode_line",
    "read_lag",
    "read_spool",
    "recover",
    "seal_all",
    "seal_requested_at",
    "sealed_segments",
    "spool_size",
]
