"""Columns of raw tables in BigQuery take other types, as on DuckDB."""

import pytest

from loader.event.values import ColumnType
from loader.load import load_files
from loader.warehouse import read_manifest, retype
from loader.warehouse.bigquery.retyping import retype_in_bigquery
from tests.bigquery.asking import rows_of
from tests.bigquery.retyping import (
    FLOAT,
    INT,
    TEXT,
    assert_settled,
    differences,
    rows,
    track,
    type_of,
)
from tests.conftest import make_workspace

BOOL, TIMESTAMP = ColumnType.BOOL, ColumnType.TIMESTAMP


@pytest.fixture
def workspace(bigquery_workspace):
    return bigquery_workspace


@pytest.fixture
def load(workspace, write_ndjson):
    return lambda *events: load_files(workspace, [write_ndjson(events)])


@pytest.fixture
def twin(tmp_path, write_ndjson):
    """A workspace on DuckDB, and what loads into it."""
    place = make_workspace(tmp_path / "twin")
    return place, lambda *events: load_files(place, [write_ndjson(events)])


VALUES = {
    TEXT: [
        "12",
        "n/a",
        "012",
        "1.5",
        "-0.25",
        "1e3",
        "true",
        "false",
        "True",
        "-7",
        "0",
        "-0",
        "1.0",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "0.1",
        "0.00001",
        "123456789012345.5",
        "0.30000000000000004",
        "100",
        "1e999",
        "[1]",
        "",
        " 1",
        "é",
        "2024-05-01T10:00:00",
        "12345678901234567",
        "999999999999999999",
        "{}",
        "null",
        "NaN",
    ],
    INT: [0, 1, -5, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)],
    FLOAT: [
        0.5,
        1.0,
        -0.0,
        1e20,
        1e-7,
        0.1,
        1 / 3,
        123456789.125,
        2.0**53,
        2.0**60,
        1e15 + 0.5,
        0.002,
    ],
    BOOL: [True, False],
    TIMESTAMP: [
        "2024-05-01T10:00:00Z",
        "2024-05-01T10:00:00.5+02:00",
        "1969-12-31T23:59:59.999999Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.000001Z",
        "1970-01-01T00:00:00Z",
    ],
}
TIMES = [
    "2024-05-01T10:00:00.123456-08:00",
    "2024-05-01T24:00:00Z",
    "2024-02-30T10:00:00Z",
    "2024-05-01T10:00Z",
    "2024-05-01T10:00:60Z",
    "0000-01-01T00:00:00Z",
    "2024-05-01T10:00:00+19:00",
]


@pytest.mark.parametrize("old", list(VALUES))
def test_a_type_becomes_any_other_as_on_duckdb(workspace, load, twin, old):
    wanted = {f"to_{kind}": kind for kind in VALUES}
    first = "a" if old is TEXT else VALUES[old][0]
    values = [*VALUES[old], *(TIMES if old is TEXT else [])]
    values += [{"a": 1}, "seen", 3, True, 2.5, "2024-05-01T10:00:00.1Z"]
    events = [track(n, dict.fromkeys(wanted, value)) for n, value in enumerate(values)]
    keys = {key: n for n, name in enumerate(wanted) for key in (name, name.upper())}
    other, load_other = twin
    for loads in (load, load_other):
        loads(track("first", dict.fromkeys(wanted, first)))
        loads(*events, track("none", {}), track("twice", keys))
    assert {type_of(workspace, name) for name in wanted} == {old}

    told = retype_in_bigquery(workspace, "checked", None, wanted)
    same = retype(other, "checked", None, wanted)

    assert differences(workspace, other, *wanted) == {}
    assert told.columns == same.columns
    for name in wanted:
        states = [read_manifest(w).catalog.state_of("checked", name) for w in (workspace, other)]
        assert states[0] == states[1]
    assert_settled(workspace)


def test_without_a_contract_columns_take_what_fits_all_values_as_on_duckdb(workspace, load, twin):
    names = ("a", "b", "c", "d", "at", "e")
    other, load_other = twin
    for loads in (load, load_other):
        loads(
            track(1, {"a": 1, "b": True, "c": 1, "d": 5, "at": "2024-05-01T12:00:00+02:00", "e": 1})
        )
        loads(track(2, {"a": "x", "b": 0, "c": 2**53 + 1, "d": 6, "at": "soon", "e": 2}))
        loads(track(3, {"a": 2.5, "b": "no", "c": 0.5, "d": [1], "at": "2024-05-01T12:00:00.5Z"}))

    told, wanted = retype_in_bigquery(workspace, "checked"), retype(other, "checked")

    assert differences(workspace, other, *names) == {}
    assert told.columns == wanted.columns
    assert retype_in_bigquery(workspace, "checked").columns == []
    changes = (
        "select table_name, column_name, old_type, new_type from {raw}.schema_changes "
        "where change = 'retyped'"
    )
    assert sorted(rows_of(workspace, changes)) == sorted(
        (c.table_name, c.column_name, c.old_type, c.new_type) for c in wanted.columns
    )


def identify(number, **fields):
    return {"type": "identify", "userId": "u", "messageId": f"m{number}", **fields}


def test_a_column_of_the_context_is_retyped_in_every_table(workspace, load):
    load(track(1, {}, context={"n": 1}), identify(2, context={"n": 2}))
    load(track(3, {}, context={"n": "x"}), identify(4, context={"n": "y"}))

    report = retype_in_bigquery(workspace, "checked", "context_n")

    assert {(c.table_name, c.taken_back) for c in report.columns} == {
        ("checked", 1),
        ("tracks", 1),
        ("identifies", 1),
    }
    wanted = {"m1": ("1", None), "m3": ("x", None)}
    assert rows(workspace, "context_n") == rows(workspace, "context_n", table="tracks") == wanted
    assert rows(workspace, "context_n", table="identifies") == {
        "m2": ("2", None),
        "m4": ("y", None),
    }


def test_a_column_whose_name_begins_with_a_digit(workspace, load):
    load(track(1, {"3d": "1"}), track(2, {"3d": "x"}))

    retype_in_bigquery(workspace, "checked", "3d", {"3d": INT})

    assert rows(workspace, "_3d") == {"m1": (1, None), "m2": (None, {"/properties/3d": "x"})}
