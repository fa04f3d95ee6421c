import os
import subprocess
import sys

import pytest


@pytest.fixture
def examine(headwater):
    """The checks by name, as `doctor --json` tells them, and the exit code."""

    def run():
        ended = headwater("doctor", "--json")
        return {check["name"]: check for check in ended.document}, ended.code

    return run


def test_nothing_fails_in_a_workspace_that_is_well(headwater, workspace, examine):
    headwater("status")

    checks, code = examine()

    assert [check for check in checks.values() if check["state"] == "fail"] == []
    assert code == 0
    assert checks["contracts"]["found"].startswith("6 in ")
    assert "views are up to date" in checks["warehouse"]["found"]


def test_it_changes_nothing(workspace, examine):
    checks, _ = examine()

    assert not workspace.home.exists()
    assert checks["warehouse"]["state"] == "warn"


def test_variables_that_are_unset_are_named_and_values_never(workspace, examine, monkeypatch):
    monkeypatch.setenv("WEB_WRITE_KEY", "wk_secret_value")
    monkeypatch.delenv("SERVER_WRITE_KEY", raising=False)

    checks, _ = examine()

    assert checks["environment"]["found"] == "not set: SERVER_WRITE_KEY"
    assert "wk_secret_value" not in str(checks)


def test_a_config_that_is_wrong_fails_with_its_fix(workspace, examine):
    (workspace.root / "headwater.yml").write_text("dedupe_day: 3\n")

    checks, code = examine()

    assert code == 1
    assert "did you mean 'dedupe_days'?" in checks["config"]["fix"]


def test_a_contract_that_is_wrong_fails_by_its_name(workspace, examine):
    (workspace.schemas / "page.json").write_text("{")

    checks, code = examine()

    assert code == 1
    assert "page.json" in checks["contracts"]["found"]


def test_a_moved_workspace_has_views_out_of_date_until_the_next_command(
    headwater, workspace, events, examine, monkeypatch
):
    headwater("load", events({}))
    workspace.root.rename(workspace.root.with_name("moved"))
    monkeypatch.chdir(workspace.root.with_name("moved"))

    before, _ = examine()
    headwater("status")
    after, _ = examine()

    assert (before["warehouse"]["state"], after["warehouse"]["state"]) == ("warn", "ok")


def test_a_stray_write_ahead_log_is_found_and_the_next_command_moves_it(
    headwater, workspace, examine
):
    headwater("status")
    stray = workspace.home / "warehouse.duckdb.wal"
    stray.write_bytes(b"left behind")

    before, _ = examine()
    ended = headwater("status")
    after, _ = examine()

    assert "left by a process that was stopped" in before["leftovers"]["found"]
    assert f"note: {stray} was left" in ended.err
    assert "moved aside earlier" in after["leftovers"]["found"]


HOLD = """
import sys
from pathlib import Path
from loader.locks import exclusive
with exclusive(Path(sys.argv[1]), "load"):
    print("held", flush=True)
    sys.stdin.read()
"""
WRITE = """
import os, sys, duckdb
os.chmod(sys.argv[1], 0o644)
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other_process():
    """Starts a program that holds something until the test ends; gives its process id."""
    started = []

    def start(program, path):
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        started.append(process)
        assert process.stdout.readline() == b"held\n"
        return process.pid

    yield start
    for process in started:
        process.communicate()


def test_a_lock_is_shown_with_who_holds_it(headwater, workspace, examine, other_process):
    headwater("status")
    holder = other_process(HOLD, workspace.home / "load.lock")

    checks, code = examine()

    assert f"load by process {holder}" in checks["locks"]["found"]
    assert code == 0


def test_a_warehouse_that_is_open_for_writing_fails_with_who_does_it(
    headwater, workspace, examine, other_process
):
    headwater("status")
    writer = other_process(WRITE, workspace.warehouse)

    checks, code = examine()

    assert code == 1
    assert f"process {writer}" in checks["writers"]["found"]


def test_for_a_person_each_check_is_a_line_and_each_fix_another(headwater, workspace):
    ended = headwater("doctor")

    assert "ok    config: " in ended.out
    assert "      Fix: " in ended.out
