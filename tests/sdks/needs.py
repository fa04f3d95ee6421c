"""What the machine must have: a test says plainly what is missing; under CI that is a failure."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NODE_MODULES = HERE / "node_modules"


def need(*programs: str) -> None:
    """Skip the test where a program is missing.

    `node_modules` stands for the npm packages, `php-curl` for that extension of PHP.
    """
    missing = [name for name in programs if not _is_here(name)]
    if not missing:
        return
    skip(f"missing on this machine: {', '.join(missing)} (tests/sdks/install puts them there)")


def skip(why: str) -> None:
    """Skip the test; under CI, where nothing may be skipped, fail it."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def _is_here(name: str) -> bool:
    if name == "node_modules":
        return (NODE_MODULES / ".installed.lock").exists()
    if name == "php-curl":
        probe = ["php", "-r", "exit(extension_loaded('curl') ? 0 : 1);"]
        return _is_here("php") and subprocess.run(probe, check=False).returncode == 0
    return shutil.which(name) is not None
