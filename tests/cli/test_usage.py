import subprocess
import sys

import click
import pytest

from loader.cli import headwater as group
from loader.errors import LoaderError
from tests.cli.process import headwater_process

STAGES = [
    "init",
    "demo",
    "collect",
    "load",
    "transform",
    "sync",
    "run",
    "contracts",
    "violations",
    "status",
    "query",
    "doctor",
]


def test_help_lists_the_stages_in_the_order_data_flows(headwater):
    ended = headwater("--help")

    listed = [line.split()[0] for line in ended.out.splitlines() if line.startswith("  ")]
    assert ended.code == 0
    assert [word for word in listed if word in STAGES] == STAGES


@pytest.mark.parametrize("command", STAGES)
def test_every_command_explains_itself(headwater, command):
    ended = headwater(command, "--help")

    assert ended.code == 0
    assert ended.out.startswith(f"Usage: headwater {command}")


def test_help_imports_nothing_heavy():
    program = (
        "import sys, loader.cli\n"
        "loader.cli.main(['--help'])\n"
        "heavy = {'duckdb', 'pyarrow', 'pandas', 'numpy', 'rich', 'yaml', 'dbt'}\n"
        "sys.exit(f'imported: {heavy & set(sys.modules)}' if heavy & set(sys.modules) else 0)"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stderr) == (0, "")


def test_an_unknown_command_names_the_nearest(headwater):
    ended = headwater("laod")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: headwater: No such command 'laod'")
    assert "Fix: did you mean load?" in ended.err


def test_an_unknown_option_names_the_nearest(headwater):
    ended = headwater("load", "--sorce", "web")

    assert ended.code == 2
    assert "error: headwater load: No such option '--sorce'" in ended.err
    assert "Fix: did you mean --source?" in ended.err


def test_a_missing_argument_is_wrong_usage(headwater):
    ended = headwater("init")

    assert ended.code == 2
    assert "Missing argument 'DIR'" in ended.err


def test_outside_of_a_workspace_a_command_says_how_to_get_one(headwater, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    ended = headwater("status")

    assert ended.code == 2
    assert "no headwater.yml here or above" in ended.err
    assert "headwater init DIR" in ended.err


@pytest.mark.parametrize("place", ["before", "after"])
def test_the_workspace_may_be_named_before_and_after_the_command(
    headwater, workspace, tmp_path, monkeypatch, place
):
    monkeypatch.chdir(tmp_path)
    option = ["--workspace", workspace.root]

    ended = (
        headwater(*option, "status", "--json")
        if place == "before"
        else headwater("status", "--json", *option)
    )

    assert ended.code == 0
    assert ended.document["workspace"] == str(workspace.root)


def test_a_workspace_is_found_from_a_folder_inside_it(headwater, workspace, monkeypatch):
    monkeypatch.chdir(workspace.schemas)

    assert headwater("status", "--json").document["workspace"] == str(workspace.root)


def test_an_unknown_key_in_headwater_yml_names_the_nearest(headwater, workspace):
    (workspace.root / "headwater.yml").write_text("sources:\n  web: {write_keys: a}\n")

    ended = headwater("status")

    assert ended.code == 2
    assert ended.err == (
        "error: headwater.yml: sources.web.write_keys: unknown key 'write_keys'\n"
        "  Fix: did you mean 'write_key'?\n"
    )


@pytest.fixture
def failing(monkeypatch):
    """Adds a command that raises what it is told to."""

    def add(problem):
        @click.command()
        def failing():
            raise problem

        monkeypatch.setitem(group.commands, "failing", failing)

    return add


def test_an_error_of_ours_is_told_without_a_traceback(headwater, failing):
    failing(LoaderError("the place: what was found", fix="do this"))

    ended = headwater("failing")

    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "error: the place: what was found\n  Fix: do this\n"


def test_a_fault_of_ours_says_where_to_report_it(headwater, failing):
    failing(KeyError("surprise"))

    ended = headwater("failing")

    assert ended.code == 1
    assert ended.err.startswith("error: KeyError: 'surprise'\n  Fix:")
    assert "report" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("way", ["option", "environment"])
def test_debug_shows_the_traceback(headwater, failing, monkeypatch, way):
    failing(KeyError("surprise"))
    if way == "environment":
        monkeypatch.setenv("HEADWATER_DEBUG", "1")

    ended = headwater("--debug", "failing") if way == "option" else headwater("failing")

    assert "Traceback (most recent call last)" in ended.err


def test_an_interrupt_is_quiet(headwater, failing):
    failing(KeyboardInterrupt())

    ended = headwater("failing")

    assert ended.code == 130
    assert ended.err.strip() == ""


@pytest.mark.parametrize("rows", [1, 100_000])  # fails at the last flush; fails while printing
def test_a_reader_that_leaves_early_is_no_error(workspace, rows):
    query = ["query", f"select * from range({rows})", "--limit", str(rows), "--json"]

    process = headwater_process(*query, "--workspace", str(workspace.root))
    process.stdout.close()
    with process:
        complaint = process.stderr.read()

    assert complaint == ""
