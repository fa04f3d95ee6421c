"""The tables and columns that contracts name: there before the first event that has them."""

from collections.abc import Iterable

from loader.contracts import Contract, columns_named
from loader.warehouse import Catalog
from loader.warehouse.catalog import fixed_columns


def give_columns(catalog: Catalog, contracts: Iterable[Contract]) -> None:
    """Give every table and column that a contract names its place.

    Where versions of a contract differ about a type, the first of `contracts` decides.
    """
    for contract in contracts:
        if contract.table:
            catalog.add_table(contract.table)
            for name, kind in columns_named(contract):
                if name not in fixed_columns(contract.table):
                    catalog.add_column(contract.table, name, kind)
