"""The systemd units: sandboxed, and stopped in the way that the commands want to be."""

import subprocess
import sys
from pathlib import Path

import pytest

from loader.collector import worker
from tests.deploy.files import UNITS, unit_settings
from tests.sdks.needs import need

SANDBOX = {
    "NoNewPrivileges": "true",
    "PrivateTmp": "true",
    "ProtectSystem": "strict",
    "ReadWritePaths": "/var/lib/headwater/.headwater",
    "User": "headwater",
}

each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)


@each_unit
def test_a_unit_writes_to_the_state_of_its_workspace_and_nowhere_else(unit):
    settings = unit_settings(unit)

    assert {key: settings[key] for key in SANDBOX} == SANDBOX
    assert settings["WorkingDirectory"] in settings["ExecStart"]


@each_unit
def test_a_unit_is_started_again_and_told_to_stop_by_sigterm_to_its_parent(unit):
    settings = unit_settings(unit)

    found = [settings[key] for key in ("Restart", "KillSignal", "KillMode")]
    assert found == ["always", "SIGTERM", "mixed"]


def test_systemd_waits_longer_than_a_collector_takes_to_drain():
    [unit] = [unit for unit in UNITS if "collect" in unit.name]

    assert int(unit_settings(unit)["TimeoutStopSec"]) > worker._DRAIN_SECONDS + 5


@pytest.fixture
def installed(tmp_path):
    """The units as if Headwater were where this environment is; the collector's on port 8080."""
    folder = Path(sys.executable).parent
    paths = []
    for unit in UNITS:
        path = tmp_path / unit.name.replace("@", "@8080")
        path.write_text(unit.read_text().replace("/opt/headwater/bin", str(folder)))
        paths.append(path)
    return paths


def test_systemd_finds_nothing_wrong_with_the_units(installed):
    need("systemd-analyze")

    ended = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *installed],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")


def test_systemd_calls_the_units_safe(installed):
    need("systemd-analyze")

    for unit in installed:
        ended = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--threshold=20", unit],
            capture_output=True,
            text=True,
            check=False,
        )

        assert ended.returncode == 0, ended.stdout
