"""Contracts beside the raw tables that exist: a column's type is older than the contract's."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from loader.authoring.findings import Finding
from loader.contracts import Contract, columns_named
from loader.event.values import ColumnType
from loader.warehouse import Catalog
from loader.warehouse.catalog import fixed_columns

_FALLS_OUT: Final = "values of the contract's type are kept in `_rescued`"
_AS_TEXT: Final = "values are stored as their JSON text"


def disagreements(
    contracts: Iterable[Contract], catalog: Catalog, folder: Path
) -> Iterator[Finding]:
    """Each column that a contract gives one type and the raw table has with another."""
    for contract in contracts:
        place = str(contract.file.relative_to(folder))
        own = fixed_columns(contract.table) if contract.table else {}
        for column, wanted in columns_named(contract):
            table = f"raw.{contract.table}"
            if column in own:
                said = f"the column {column} of {table} is Headwater's own: {_FALLS_OUT}"
                fix = "give the property another name"
                yield Finding("warning", "reserved_column", place, "$", said, fix)
                continue
            state = catalog.state_of(contract.table, column)
            if state is not None and not _takes(state.type, wanted):
                what = _AS_TEXT if state.type is ColumnType.TEXT else _FALLS_OUT
                said = f"{table}.{column} is {state.type}, the contract says {wanted}: {what}"
                fix = f"`headwater compact --retype {contract.table}`, or mend the contract"
                yield Finding("warning", "column_type", place, "$", said, fix)


def _takes(column: ColumnType, wanted: ColumnType) -> bool:
    """Whether the column takes the contract's values as they are; INT widens to FLOAT."""
    return column is wanted or (column, wanted) == (ColumnType.INT, ColumnType.FLOAT)
