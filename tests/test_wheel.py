"""The wheel, built and installed into an environment of its own: what a user gets."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The `bin` folder of an environment with the wheel; dependencies are those of this one."""
    place = tmp_path_factory.mktemp("wheel")
    build = ["hatchling", "build", "--target", "wheel", "--directory", place]
    subprocess.run([sys.executable, "-m", *build], cwd=CHECKOUT, check=True, capture_output=True)
    [wheel] = place.glob("*.whl")
    venv.create(place / "venv", with_pip=False)
    python = place / "venv" / "bin" / "python"
    install = ["--python", python, "install", "--no-index", "--no-deps", wheel]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True, capture_output=True)
    [packages] = (place / "venv" / "lib").glob("python3*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python.parent


def test_init_from_the_wheel_writes_a_workspace_that_works(installed, tmp_path):
    def headwater(*arguments):
        command = [installed / "headwater", *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)

    headwater("init", "new")
    found = headwater("status", "--workspace", "new").stdout

    assert "order_completed" not in found
    assert "tracks" in found
    assert {entry.name for entry in (tmp_path / "new").iterdir()} == {
        ".gitignore",
        ".headwater",
        "dbt_project",
        "dbt_project.yml",
        "headwater.yml",
        "profiles.yml",
        "schemas",
    }


def test_the_wheel_carries_the_library_of_events(installed, tmp_path):
    schemas = tmp_path / "schemas"
    schemas.mkdir()
    command = [installed / "headwater", "contracts", "add", "Order Cancelled"]

    subprocess.run([*command, "--schemas", schemas], check=True, capture_output=True, timeout=60)

    assert (schemas / "track" / "order_cancelled.json").is_file()


def test_the_wheel_carries_every_model_and_contract(installed, tmp_path):
    subprocess.run([installed / "headwater", "init", tmp_path / "new"], check=True, timeout=60)

    for folder, pattern in (("dbt_project", "*.sql"), ("dbt_project", "*.yml"), ("schemas", "*")):
        in_checkout = {p.relative_to(CHECKOUT) for p in (CHECKOUT / folder).rglob(pattern)}
        in_new = {
            p.relative_to(tmp_path / "new") for p in (tmp_path / "new" / folder).rglob(pattern)
        }
        assert in_new == in_checkout
