"""Reverse ETL: what changed in the marts since a destination last accepted it, sent there."""

from loader.sync.engine import run_syncs
from loader.sync.erasing import States, drop_copies, holding_states, keys_of
from loader.sync.report import Change, Refusal, SyncReport

__all__ = [
    "Change",
    "Refusal",
    "States",
    "SyncReport",
    "drop_copies",
    "holding_states",
    "keys_of",
    "run_syncs",
]
