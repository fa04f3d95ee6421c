"""Columns of raw tables in BigQuery take other types, as on DuckDB, whatever happens on the way."""

import json
import os
import signal
import subprocess
import sys

import pytest

from loader.cli import main
from loader.errors import ConfigError, Unavailable
from loader.event.values import ColumnType
from loader.load import load_files
from loader.warehouse import connect, read_manifest, repair, retype
from loader.warehouse.bigquery import jobs
from loader.warehouse.bigquery.retyping import retype_in_bigquery
from loader.warehouse.bigquery.shipment import pending, read_shipping
from tests.bigquery.asking import rows_of, table_of
from tests.bigquery.conftest import on_bigquery
from tests.bigquery.proxy import CHUNK, Break, Do, Proxy
from tests.conftest import make_workspace

WRITES = r"(POST|PUT|PATCH|DELETE) "
SWAP = 4  # which of them gives the column its new type
RETYPE_WRITES = 20  # of a column with misfits and values that come back, its log included
INT, FLOAT, TEXT = ColumnType.INT, ColumnType.FLOAT, ColumnType.TEXT
BOOL, TIMESTAMP = ColumnType.BOOL, ColumnType.TIMESTAMP


def track(number, properties, **fields):
    event = {"type": "track", "event": "Checked", "userId": "u", "messageId": f"m{number}"}
    day = f"2024-05-0{1 + len(str(number)) % 3}T10:00:00Z"
    return {**event, "receivedAt": day, "properties": properties, **fields}


@pytest.fixture
def proxy(emulator):
    with Proxy(emulator.url).running() as started:
        yield started


@pytest.fixture
def workspace(tmp_path, emulator, proxy):
    return on_bigquery(make_workspace(tmp_path / "workspace"), emulator, base_url=proxy.url)


@pytest.fixture
def load(workspace, write_ndjson):
    return lambda *events: load_files(workspace, [write_ndjson(events)])


@pytest.fixture
def twin(tmp_path, write_ndjson):
    """A workspace on DuckDB, and what loads into it."""
    place = make_workspace(tmp_path / "twin")
    return place, lambda *events: load_files(place, [write_ndjson(events)])


@pytest.fixture
def brief(monkeypatch):
    """Faults that last end within a second."""
    monkeypatch.setattr(jobs, "RETRY", jobs.RETRY.with_timeout(0.5))


def rows(workspace, *columns, table="checked"):
    """By message: the values of `columns`, and what is in `_rescued`."""
    names = ", ".join(f"`{name}`" for name in columns)
    if workspace.config.warehouse.is_bigquery:
        found = rows_of(workspace, f"select id, {names}, _rescued from {{raw}}.{table}")
    else:
        repair(workspace)
        with connect(workspace) as connection:
            quoted = names.replace("`", '"')
            asked = f"select id, {quoted}, _rescued from raw.{table}"
            found = [
                (*r[:-1], r[-1] and json.loads(r[-1])) for r in connection.execute(asked).fetchall()
            ]
    assert len({row[0] for row in found}) == len(found)
    return {row[0]: row[1:] for row in found}


def differences(workspace, other, *columns):
    """By message: the rows that differ; a comparison of all would take pytest minutes to tell."""
    here, there = rows(workspace, *columns), rows(other, *columns)
    return {n: (here.get(n), there.get(n)) for n in here | there if here.get(n) != there.get(n)}


def columns_of(workspace, table="checked"):
    return {field.name: field.field_type for field in table_of(workspace, table).schema}


def type_of(workspace, column, table="checked"):
    return read_manifest(workspace).catalog.state_of(table, column).type


def assert_settled(workspace, table="checked"):
    """Nothing of ours is left, and nothing waits."""
    assert not [n for n in columns_of(workspace, table) if n.startswith(("_ret", "_waiting"))]
    shipping = read_shipping(workspace)
    assert shipping.shipment is None
    assert pending(workspace, read_manifest(workspace))[0] == 0


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


BIG = 2**53 + 1  # which no float is


def prepared(load):
    """Values that fit, one that doesn't, and one that comes back."""
    load(track(1, {"total": 1.5}), track(2, {"total": 12}), track(3, {"total": 5, "n": 1}))
    load(track(4, {"total": BIG, "n": "x"}))


RETYPED = {
    "m1": (None, {"/properties/total": 1.5}),
    "m2": (12, None),
    "m3": (5, None),
    "m4": (BIG, {"/properties/n": "x"}),
}


def contract(workspace, **columns):
    rules = {"properties": {name: {"type": kind} for name, kind in columns.items()}}
    path = workspace.schemas / "track" / "checked.json"
    path.write_text(json.dumps({"name": "Checked", "rules": rules}))


def command(workspace):
    return ["--workspace", str(workspace.root), "compact", "--retype", "checked", "total"]


def kill_at(workspace, proxy, write, *, is_done):
    """Run the command, and kill it before or after that write of its."""
    children = []
    kill = Do(lambda: os.kill(children[0].pid, signal.SIGKILL), is_done=is_done)
    proxy.fail(WRITES, kill, passing=write)
    python = [sys.executable, "-m", "loader.cli"]
    children.append(subprocess.Popen([*python, *command(workspace)], stderr=subprocess.DEVNULL))
    assert children[0].wait(60) == -signal.SIGKILL


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("write", range(RETYPE_WRITES))
def test_killed_at_any_moment_and_repeated_it_is_done(workspace, proxy, load, write, is_done):
    prepared(load)
    contract(workspace, total="integer")
    kill_at(workspace, proxy, write, is_done=is_done)
    assert main(command(workspace)) == 0

    assert rows(workspace, "total") == RETYPED
    assert type_of(workspace, "total") is INT
    assert_settled(workspace)
    changes = "select column_name from {raw}.schema_changes where change = 'retyped'"
    assert rows_of(workspace, changes) == [("total",)]


def test_a_retype_writes_so_often(workspace, proxy, load):
    """Else the test above misses a moment."""
    prepared(load)
    before = proxy.count(WRITES)

    retype_in_bigquery(workspace, "checked", "total", {"total": INT})

    assert proxy.count(WRITES) - before == RETYPE_WRITES


def test_loads_between_a_kill_and_its_repetition_are_there_too(workspace, proxy, load):
    prepared(load)
    contract(workspace, total="integer")
    kill_at(workspace, proxy, SWAP, is_done=True)
    assert columns_of(workspace)["total"] == "INTEGER"
    (workspace.schemas / "track" / "checked.json").unlink()
    with pytest.raises(ConfigError, match="--retype TABLE COLUMN"):
        load(track(5, {"total": 6}), track(6, {"total": 2.5}), track(7, {"total": BIG, "n": "y"}))

    report = retype_in_bigquery(workspace, "checked", "total", {"total": INT})

    assert rows(workspace, "total") == RETYPED | {
        "m5": (6, None),
        "m6": (None, {"/properties/total": 2.5}),
        "m7": (BIG, {"/properties/n": "y"}),
    }
    [told] = report.columns
    assert (told.old_type, told.new_type, told.rescued, told.taken_back) == (FLOAT, INT, 2, 2)
    assert_settled(workspace)
    load(track(8, {"total": 9}))
    assert rows(workspace, "total")["m8"] == (9, None)


def test_rows_that_wait_are_sent_first(workspace, proxy, load, brief):
    load(track(1, {"total": "a"}))
    proxy.fail(CHUNK, Break.CUT, times=None)
    with pytest.raises(Unavailable):
        load(track(2, {"total": "2"}), track(3, {"total": "b"}))
    proxy.heal()

    retype_in_bigquery(workspace, "checked", "total", {"total": INT})

    assert rows(workspace, "total") == {
        "m1": (None, {"/properties/total": "a"}),
        "m2": (2, None),
        "m3": (None, {"/properties/total": "b"}),
    }
    assert_settled(workspace)


def test_rows_that_another_loader_brings_meanwhile_are_converted(workspace, proxy, load):
    load(track(1, {"total": "1"}))

    def append():
        at = "timestamp '2024-05-01 10:00:00+00'"
        rows_of(
            workspace,
            "insert into {raw}.checked (id, received_at, load_id, _seq, total) "
            f"values ('late', {at}, 5, 1, '2'), ('odd', {at}, 5, 2, 'x')",
        )

    proxy.fail(WRITES, Do(append), passing=3)  # as the column is about to change
    retype_in_bigquery(workspace, "checked", "total", {"total": INT})

    assert rows(workspace, "total") == {
        "m1": (1, None),
        "late": (2, None),
        "odd": (None, {"/properties/total": "x"}),
    }


def test_a_second_loader_follows_the_first(workspace, emulator, tmp_path, load, write_ndjson):
    load(track(1, {"total": "a"}), track(2, {"total": "2"}))
    warehouse = workspace.config.warehouse
    second = on_bigquery(
        make_workspace(tmp_path / "second"),
        emulator,
        raw_dataset=warehouse.raw_dataset,
        dataset=warehouse.dataset,
    )
    load_files(second, [write_ndjson([track(3, {"total": "3"})])])
    retype_in_bigquery(workspace, "checked", "total", {"total": INT})
    with pytest.raises(ConfigError, match="the column total is INTEGER there, and STRING"):
        load_files(second, [write_ndjson([track(4, {"total": "4"}), track(5, {"total": "b"})])])

    retype_in_bigquery(second, "checked", "total", {"total": INT})
    load_files(second, [write_ndjson([track(6, {"total": 6})])])

    found = {name: value for name, (value, _) in rows(workspace, "total").items()}
    assert found == {"m1": None, "m2": 2, "m3": 3, "m4": 4, "m5": None, "m6": 6}
    assert_settled(second)


@pytest.mark.parametrize("write", [SWAP - 1, SWAP])
def test_another_type_than_that_of_the_killed_run(workspace, proxy, load, write):
    prepared(load)
    contract(workspace, total="integer")
    kill_at(workspace, proxy, write, is_done=True)

    retype_in_bigquery(workspace, "checked", "total", {"total": TEXT})

    found = {name: value for name, (value, _) in rows(workspace, "total").items()}
    assert found == {"m1": "1.5", "m2": "12", "m3": "5", "m4": str(BIG)}
    assert columns_of(workspace)["total"] == "STRING"
    assert_settled(workspace)
