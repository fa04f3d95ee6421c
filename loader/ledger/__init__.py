"""What must be remembered between runs: the ids of events seen."""

from loader.ledger.ids import IdIndex, Keys, Run, keys_of

__all__ = ["IdIndex", "Keys", "Run", "keys_of"]
