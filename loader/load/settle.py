"""Gives each column of a chunk of events its type, and sets aside the values that don't fit.

The outcome is the one that taking the events singly, in order, would have: the first value of a
column fixes its type, INT becomes FLOAT when a fraction comes (while every int so far is exact as
a float), and what does not fit goes to `_rescued`. Most columns are settled whole, without a look
at single values; only a column with a misfit is walked through.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from loader.event.values import (
    ARROW,
    MAX_EXACT_INT,
    MISFIT,
    ColumnType,
    fit,
    json_text,
    parse_timestamps,
)
from loader.load.buffer import Column, TableBuffer
from loader.warehouse import Catalog

_FITTING: Final[Mapping[ColumnType, frozenset[type]]] = {
    ColumnType.TEXT: frozenset({str, list}),
    ColumnType.INT: frozenset({int}),
    ColumnType.FLOAT: frozenset({float, int}),
    ColumnType.BOOL: frozenset({bool}),
    ColumnType.TIMESTAMP: frozenset({str}),
}


@dataclass(frozen=True, slots=True)
class _Member:
    """One table's share of a column: `context_*` columns have one type in all tables."""

    table: str
    buffer: TableBuffer
    column: Column
    seqs: Sequence[int]


def settle(
    buffers: Mapping[str, TableBuffer], seqs: Mapping[str, Sequence[int]], catalog: Catalog
) -> dict[str, dict[str, pa.Array]]:
    """The added columns of each table in `buffers` as Arrow arrays; new ones enter the catalog.

    `seqs` holds each table's rows' `_seq`. A value that doesn't fit is moved to its row of the
    buffer's `rescued`. A column without any value in these rows is left out.
    """
    groups: dict[tuple[str, str], list[_Member]] = {}
    for table, buffer in buffers.items():
        for name, column in buffer.columns.items():
            if column.values:
                scope = "" if name.startswith("context_") else table
                member = _Member(table, buffer, column, seqs[table])
                groups.setdefault((scope, name), []).append(member)
    settled: dict[str, dict[str, pa.Array]] = {table: {} for table in buffers}
    for (_, name), members in groups.items():
        arrays = _settle_column(name, members, catalog)
        for member, array in zip(members, arrays, strict=True):
            if array is not None:
                settled[member.table][name] = array
    return settled


def _settle_column(
    name: str, members: list[_Member], catalog: Catalog
) -> Iterable[pa.Array | None]:
    state = catalog.state_of(members[0].table, name)
    assert state is not None  # noqa: S101 - the buffer gave it one with the first value
    for member in members:
        catalog.add_column(member.table, name, state.type)
        missing = len(member.buffer.rows) - len(member.column.values)
        member.column.values.extend([None] * missing)
    whole = [_settle_whole(member.column.values, state.type) for member in members]
    if any(array is None for array in whole):
        _walk(members, catalog, name)
        return [_settle_whole(member.column.values, state.type) for member in members]
    if state.type is ColumnType.INT and not state.has_big_ints:
        state.has_big_ints = any(_has_big_ints(array) for array in whole)
    return whole


def _settle_whole(values: list[Any], wanted: ColumnType) -> pa.Array | None:
    """The values as an array of the wanted type, or None if one of them doesn't simply fit."""
    kinds = set(map(type, values))
    kinds.discard(NoneType)
    if not kinds <= _FITTING[wanted]:
        return None
    if wanted is ColumnType.TIMESTAMP:
        return parse_timestamps(values)
    if list in kinds:
        values = [json_text(value) if type(value) is list else value for value in values]
    try:
        return pa.array(values, ARROW[wanted])
    except (OverflowError, pa.ArrowInvalid):
        return None


def _has_big_ints(array: pa.Array) -> bool:
    low, high = pc.min_max(array).values()
    exact = MAX_EXACT_INT
    return bool(low.is_valid and (low.as_py() < -exact or high.as_py() > exact))


def _walk(members: list[_Member], catalog: Catalog, name: str) -> None:
    """Fit value by value, in the order of arrival; leave in the columns what fits."""
    state = catalog.state_of(members[0].table, name)
    assert state is not None  # noqa: S101 - as above
    for member, row, _, value in _in_order(members):
        fitted = fit(value, state.type)
        is_number = type(value) in (int, float)
        if fitted is MISFIT and state.type is ColumnType.INT and type(value) is float:
            if not state.has_big_ints:
                state.type = ColumnType.FLOAT
                fitted = value
        elif state.type is ColumnType.INT and is_number and fitted is not MISFIT:
            state.has_big_ints |= abs(value) > MAX_EXACT_INT
        if fitted is MISFIT:
            _rescue(member, row, value)
            fitted = None
        member.column.values[row] = fitted


def _in_order(members: list[_Member]) -> Iterator[tuple[_Member, int, int, Any]]:
    """Every value that is there, over all members, in the order of arrival."""

    def values(number: int, member: _Member) -> Iterator[tuple[int, int, int, Any]]:
        for row, value in enumerate(member.column.values):
            if value is not None:
                yield member.seqs[row], number, row, value

    streams = [values(number, member) for number, member in enumerate(members)]
    for seq, number, row, value in heapq.merge(*streams, key=lambda item: item[0]):
        yield members[number], row, seq, value


def _rescue(member: _Member, row: int, value: Any) -> None:
    column = member.column
    pointer = column.other_pointers.get(row, column.pointer)
    pointers = (pointer, *column.twins.get(row, ()))
    member.buffer.rescued.setdefault(row, {}).update(dict.fromkeys(pointers, value))
