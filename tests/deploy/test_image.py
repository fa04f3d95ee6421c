"""The Dockerfile, as far as it can be tried without Docker, and compose.yml."""

import fnmatch
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from tests.collector.child import collecting, configure
from tests.deploy.files import DEPLOY, ROOT, in_json_form, instructions, services, unit_settings

IGNORED = (DEPLOY / "Dockerfile.dockerignore").read_text().split("\n")


def copied():
    """What the Dockerfile takes from the checkout."""
    lines = [words for name, words in instructions() if name == "COPY" and "--from" not in words]
    return [source for words in lines for source in words.split()[:-1]]


def health_check(port):
    [check] = [words for name, words in instructions() if name == "HEALTHCHECK"]
    program, *arguments = re.findall(r'"([^"]*)"', check.partition("CMD")[2])
    assert program == "python"
    return [sys.executable, *(text.replace("8080", str(port)) for text in arguments)]


@pytest.mark.parametrize("name", copied())
def test_what_is_copied_is_there_and_reaches_the_builder(name):
    assert (ROOT / name).exists()
    assert f"!{name}" in IGNORED


@pytest.mark.parametrize("name", [".env", ".headwater", "my-data", "tests", ".git"])
def test_state_and_secrets_do_not_reach_the_builder(name):
    let_in = [rule[1:] for rule in IGNORED if rule.startswith("!")]

    assert IGNORED[1] == "*"
    assert not any(fnmatch.fnmatch(name, rule) for rule in let_in)


def test_what_is_copied_is_enough_to_build_the_package(tmp_path):
    for name in copied():
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, tmp_path / name)

    command = ["hatchling", "build", "--target", "wheel", "--directory", tmp_path / "dist"]
    subprocess.run([sys.executable, "-m", *command], cwd=tmp_path, check=True, capture_output=True)

    [wheel] = (tmp_path / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"loader/cli/collect.py", "loader/template/headwater.yml"} <= set(names)


def test_whatever_is_installed_is_compared_with_the_hashes_of_the_lock():
    installs = [
        step
        for name, words in instructions()
        if name == "RUN"
        for step in words.split("&&")
        if " install " in step and "pip " in step
    ]

    assert len(installs) == 3
    for step in installs:
        assert re.search(r"--require-hashes|-constraints requirements\.lock", step), step


def test_it_runs_as_nobody_in_particular_and_is_stopped_by_sigterm():
    last = dict(instructions())

    assert last["USER"] == "headwater"
    assert last["STOPSIGNAL"] == "SIGTERM"
    assert ("--port", last["EXPOSE"]) == tuple(in_json_form("CMD")[-2:])


def test_its_health_check_tells_a_collector_that_is_ready_from_one_that_is_gone(workspace):
    configure(workspace)
    with collecting(workspace) as collector:
        check = health_check(collector.address[1])

        serving = subprocess.run(check, check=False, capture_output=True).returncode
    gone = subprocess.run(check, check=False, capture_output=True).returncode

    assert (serving, gone) == (0, 1)


def test_its_health_check_sees_that_the_spool_is_full(workspace):
    configure(workspace, collector={"spool_megabytes": 1})
    (workspace.spool / "7").mkdir(parents=True)
    (workspace.spool / "7" / "00000000000000000001-abcd.sealed").write_bytes(bytes(2_000_000))
    with collecting(workspace) as collector:
        check = health_check(collector.address[1])

        assert subprocess.run(check, check=False, capture_output=True).returncode == 1


def test_compose_gives_each_service_the_time_that_its_unit_has():
    collect, run = services()["collect"], services()["run"]

    assert f"{unit_of('collect@')['TimeoutStopSec']}s" == collect["stop_grace_period"]
    assert unit_of("run")["TimeoutStopSec"] == "300"
    assert run["stop_grace_period"] == "5m"


def test_compose_has_both_services_see_the_workspace_in_the_folder_of_the_image():
    folder = dict(instructions())["WORKDIR"]

    for service in services().values():
        [volume] = service["volumes"]
        assert volume.endswith(f":{folder}")
    assert services()["run"]["healthcheck"] == {"disable": True}


def unit_of(name):
    return unit_settings(DEPLOY / f"headwater-{name}.service")
