"""What must be remembered between runs: the ids of events seen, and who was forgotten."""

from loader.ledger.ids import DIGEST, Digests, IdIndex, keys_of
from loader.ledger.runs import Run
from loader.ledger.suppression import Suppression, read_suppression, write_suppression

__all__ = [
    "DIGEST",
    "Digests",
    "IdIndex",
    "Run",
    "Suppression",
    "keys_of",
    "read_suppression",
    "write_suppression",
]
