"""A run that is killed, that finds the disk full, and two at a time."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from loader.errors import Busy
from loader.sync.engine import BATCH_ROWS
from tests.twin.receiver import Answer

ROWS = 1600
CHILD = """
import resource, sys
from pathlib import Path
from loader.config import Workspace
from loader.sync import run_syncs
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
[report] = run_syncs(Workspace(Path(sys.argv[1])))
print(type(report.error).__name__, report.exit_code, report.delivered + report.retry)
"""


def start_child(place, max_file_bytes=1 << 40):
    command = [sys.executable, "-c", CHILD, str(place.workspace.root), str(max_file_bytes)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(child):
    """How the child ended, and what it printed."""
    printed, _ = child.communicate(timeout=60)
    return child.returncode, printed.strip()


@pytest.fixture
def many(place):
    rows = f"select i::varchar as email, repeat('x', 300) as note from range({ROWS}) t(i)"
    place.publish(f"create table users as {rows}")
    return place


@pytest.mark.parametrize("killed_at", [1, 700, 1001, ROWS])
def test_a_killed_run_goes_on_where_it_was(many, killed_at):
    def answer(_request):
        if len(many.receiver.requests) == killed_at:
            os.kill(child.pid, signal.SIGKILL)
        return Answer()

    many.receiver.answer = answer
    child = start_child(many)
    assert finish(child) == (-signal.SIGKILL, "")

    report = many.run()

    assert report.error is None
    keys = many.receiver.keys()
    assert len(set(keys)) == ROWS
    assert len(keys) - len(set(keys)) <= BATCH_ROWS
    assert many.run().unchanged == ROWS


def test_a_dry_run_after_a_killed_run_shows_what_is_left(many):
    many.receiver.answer = lambda _request: (
        (os.kill(child.pid, signal.SIGKILL) if len(many.receiver.requests) == 1500 else None)
        or Answer()
    )
    child = start_child(many)
    finish(child)

    report = many.run(dry_run=True)

    assert 0 < report.added < ROWS
    assert report.added + report.unchanged == ROWS


def test_a_second_run_at_the_same_time_is_told_to_wait(many):
    arrived, go_on = threading.Event(), threading.Event()

    async def hold(_request):
        arrived.set()
        while not go_on.is_set():
            await __import__("asyncio").sleep(0.01)
        return Answer()

    many.receiver.answer = hold
    child = start_child(many)
    assert arrived.wait(60)

    report = many.run()
    go_on.set()

    assert isinstance(report.error, Busy)
    assert "sync users is running" in report.error.message
    assert report.exit_code == 1
    assert finish(child) == (0, f"NoneType 0 {ROWS}")
    assert many.run().unchanged == ROWS
    assert len(many.receiver.requests) == ROWS


@pytest.mark.parametrize(
    ("max_file_bytes", "rows_found"), [(5_000, 0), (100_000, 0), (700_000, ROWS)]
)
def test_a_full_disk_is_told_of_and_loses_nothing(many, max_file_bytes, rows_found):
    child = start_child(many, max_file_bytes)
    assert finish(child) == (0, f"StorageError 1 {rows_found}")

    report = many.run()

    assert report.error is None
    keys = many.receiver.keys()
    assert len(set(keys)) == ROWS
    assert len(keys) - len(set(keys)) <= BATCH_ROWS
    assert many.run().unchanged == ROWS
