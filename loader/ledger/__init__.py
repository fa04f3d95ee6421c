"""What must be remembered between runs: the ids of events seen."""

from loader.ledger.ids import DIGEST, Digests, IdIndex, keys_of
from loader.ledger.runs import Run

__all__ = ["DIGEST", "Digests", "IdIndex", "Run", "keys_of"]
