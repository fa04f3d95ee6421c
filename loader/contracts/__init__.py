"""Contracts: what an event must look like to be let in, one JSON file an event, draft-07."""

from loader.contracts.check import Contracts
from loader.contracts.columns import columns_named
from loader.contracts.plan import Contract, read_contract, read_contracts
from loader.contracts.verdict import Action, Verdict, Violation

__all__ = [
    "Action",
    "Contract",
    "Contracts",
    "Verdict",
    "Violation",
    "columns_named",
    "read_contract",
    "read_contracts",
]
