"""A retype in BigQuery that is killed, or meets other loaders: every value is there in the end."""

import json
import os
import signal
import subprocess
import sys

import pytest

from loader.cli import main
from loader.errors import ConfigError, Unavailable
from loader.load import load_files
from loader.warehouse.bigquery.retyping import retype_in_bigquery
from tests.bigquery.asking import rows_of
from tests.bigquery.conftest import on_bigquery
from tests.bigquery.proxy import CHUNK, WRITES, Break, Do
from tests.bigquery.retyping import (
    FLOAT,
    INT,
    TEXT,
    assert_settled,
    columns_of,
    rows,
    track,
    type_of,
)
from tests.conftest import make_workspace

SWAP = 4  # which of its WRITES gives the column its new type
RETYPE_WRITES = 20  # of a column with misfits and values that come back, its log included
BIG = 2**53 + 1  # which no float is


@pytest.fixture
def workspace(tmp_path, emulator, proxy):
    return on_bigquery(make_workspace(tmp_path / "workspace"), emulator, base_url=proxy.url)


@pytest.fixture
def load(workspace, write_ndjson):
    return lambda *events: load_files(workspace, [write_ndjson(events)])


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


def kill_at(workspace, proxy, write):
    """Run the command, and kill it once that write of its is done."""
    children = []
    kill = Do(lambda: os.kill(children[0].pid, signal.SIGKILL), is_done=True)
    proxy.fail(WRITES, kill, passing=write)
    python = [sys.executable, "-m", "loader.cli"]
    children.append(subprocess.Popen([*python, *command(workspace)], stderr=subprocess.DEVNULL))
    assert children[0].wait(60) == -signal.SIGKILL


# Every other moment, since each takes seconds; before a write is much like after the one before it.
@pytest.mark.parametrize("write", range(0, RETYPE_WRITES, 2))
def test_killed_at_any_moment_and_repeated_it_is_done(workspace, proxy, load, write):
    prepared(load)
    contract(workspace, total="integer")
    kill_at(workspace, proxy, write)
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
    kill_at(workspace, proxy, SWAP)
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
    kill_at(workspace, proxy, write)

    retype_in_bigquery(workspace, "checked", "total", {"total": TEXT})

    found = {name: value for name, (value, _) in rows(workspace, "total").items()}
    assert found == {"m1": "1.5", "m2": "12", "m3": "5", "m4": str(BIG)}
    assert columns_of(workspace)["total"] == "STRING"
    assert_settled(workspace)
