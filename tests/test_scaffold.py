import signal
import subprocess
import sys
from pathlib import Path

import pytest

import loader
from loader.config import open_workspace
from loader.contracts import read_contracts
from loader.errors import ConfigError
from loader.scaffold import create_workspace

WHOLE = {
    ".gitignore",
    "dbt_project",
    "dbt_project.yml",
    "headwater.yml",
    "profiles.yml",
    "schemas",
}


def names_in(folder):
    return {entry.name for entry in folder.iterdir()}


def test_a_new_workspace_is_whole_and_its_config_and_contracts_are_read(tmp_path):
    workspace = create_workspace(tmp_path / "deep" / "new")

    assert names_in(workspace.root) == WHOLE
    assert set(open_workspace(workspace.root).config.sources) == {"web", "server"}
    assert {contract.name for contract in read_contracts(workspace.schemas)} == {
        "Order Completed",
        "Subscription Started",
        "common",
        "group",
        "identify",
        "page",
    }


def test_nothing_is_left_beside_the_new_workspace(tmp_path):
    create_workspace(tmp_path / "new")

    assert names_in(tmp_path) == {"new"}


def test_an_empty_folder_may_be_there_already(tmp_path):
    (tmp_path / "new").mkdir()

    assert names_in(create_workspace(tmp_path / "new").root) == WHOLE


def test_the_current_folder_stays_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    create_workspace(Path())

    assert names_in(Path.cwd()) == WHOLE


@pytest.mark.parametrize("stands_there", ["a file in it", "a file in its place"])
def test_what_is_there_already_is_left_alone(tmp_path, stands_there):
    place = tmp_path / "new"
    if stands_there == "a file in it":
        place.mkdir()
    kept = place / "notes.txt" if place.is_dir() else place
    kept.write_text("mine")

    with pytest.raises(ConfigError, match="something here already"):
        create_workspace(place)

    assert kept.read_text() == "mine"
    assert names_in(tmp_path) == {"new"}


def test_others_may_read_a_new_workspace_as_far_as_the_umask_allows(tmp_path):
    (tmp_path / "by_mkdir").mkdir()

    workspace = create_workspace(tmp_path / "new")

    assert workspace.root.stat().st_mode == (tmp_path / "by_mkdir").stat().st_mode


def test_an_init_that_is_killed_leaves_a_whole_workspace_or_none(tmp_path):
    program = (
        "import itertools\n"
        "from pathlib import Path\n"
        "from loader.scaffold import create_workspace\n"
        "for number in itertools.count():\n"
        "    create_workspace(Path(f'ws-{number}'))\n"
        "    print(number, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(loader.__file__).parent.parent)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        for _ in range(20):
            process.stdout.readline()
        process.kill()

    assert process.returncode == -signal.SIGKILL
    made = list(tmp_path.glob("ws-*"))
    assert len(made) >= 20
    assert all(names_in(folder) == WHOLE for folder in made)
