import json
import os
import signal

import pytest

from loader.cli.stopping import stop_signals
from loader.exit_codes import DONE, FAILED, MISUSED, NEWLY_REJECTED, worst
from loader.locks import exclusive
from tests.cli.process import headwater_process
from tests.twin.receiver import serving

PROJECT = """\
name: small
profile: headwater
model-paths: [dbt_project/models]
flags: {send_anonymous_usage_stats: false}
"""


@pytest.fixture
def small_project(workspace):
    """The workspace with one model, which is quickly built."""
    project = workspace.root / "dbt_project"
    project.rename(workspace.root / "not_used")
    (project / "models").mkdir(parents=True)
    (project / "models" / "users.sql").write_text("select '1' as canonical_user_id")
    (workspace.root / "dbt_project.yml").write_text(PROJECT)
    return workspace


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ([], DONE),
        ([DONE, NEWLY_REJECTED, DONE], NEWLY_REJECTED),
        ([NEWLY_REJECTED, FAILED], FAILED),
        ([FAILED, MISUSED, NEWLY_REJECTED], MISUSED),
    ],
)
def test_the_exit_code_of_several_is_the_worst(codes, code):
    assert worst(codes) == code


def test_blocked_rows_stop_nothing_and_the_run_exits_3(headwater, small_project, events):
    with serving() as receiver:
        (small_project.root / "headwater.yml").write_text(
            f"destinations: {{hook: {{type: webhook, base_url: '{receiver.url}'}}}}\n"
            "syncs: {users: {destination: hook, model: users, key: {id: canonical_user_id}}}\n"
        )
        ended = headwater("run", events({}, {"total": "14500"}), "--json")

    stages = {stage["stage"]: stage["exit_code"] for stage in ended.document["stages"]}
    assert stages == {"load": NEWLY_REJECTED, "transform": DONE, "sync": DONE}
    assert ended.code == ended.document["exit_code"] == NEWLY_REJECTED
    assert [request.json["key"] for request in receiver.requests] == [{"id": "1"}]


def test_a_missing_input_ends_the_run_before_anything_is_built(headwater, workspace):
    ended = headwater("run", "nowhere.ndjson", "--json")

    assert [stage["stage"] for stage in ended.document["stages"]] == ["load"]
    assert ended.code == MISUSED
    assert "error: load: nowhere.ndjson" in ended.err


def test_a_failed_transform_skips_sync(headwater, workspace, events):
    (workspace.root / "dbt_project.yml").unlink()

    ended = headwater("run", events({}))

    assert ended.code == MISUSED
    assert "1 accepted" in ended.out
    assert "error: transform: " in ended.err
    assert "no syncs" not in ended.out


def test_a_second_run_says_that_one_is_at_work(headwater, workspace):
    with exclusive(workspace.home / "run.lock", "run"):
        ended = headwater("run")

    assert (ended.code, ended.out) == (FAILED, "")
    assert "another run is at work here" in ended.err


@pytest.mark.parametrize("pace", ["soon", "0s", "5"])
def test_a_pace_that_is_no_duration_is_wrong_usage(headwater, workspace, pace):
    ended = headwater("run", "--every", pace)

    assert ended.code == MISUSED
    assert "every" in ended.err


def test_a_repeated_run_loads_at_its_pace_and_ends_well_when_told_to(small_project):
    process = headwater_process(
        "run", "--every", "10ms", "--json", "--workspace", str(small_project.root)
    )
    with process:
        stages = [json.loads(process.stdout.readline())["stage"] for _ in range(5)]
        process.send_signal(signal.SIGTERM)
        rest, complaint = process.communicate(timeout=60)

    assert stages == ["load", "transform", "sync", "load", "load"]
    assert {json.loads(line)["stage"] for line in rest.splitlines()} <= {"load"}
    assert (process.returncode, complaint) == (DONE, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_pause_at_once_and_a_second_one_acts_as_ever(number):
    usual = signal.getsignal(number)

    with stop_signals() as wait:
        had_come = wait(0)
        os.kill(os.getpid(), number)
        came = wait(3_600)
        after_the_first = signal.getsignal(number)

    assert (had_come, came) == (False, True)
    assert after_the_first is usual
