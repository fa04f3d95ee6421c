"""Environments for what others make, since its dependencies are not ours; made once, then kept."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

_DUCKDB = f"duckdb=={duckdb.__version__}"
DLT = ("dlt[duckdb]==1.31.0", _DUCKDB, f"pyarrow=={pa.__version__}")
GRAPHS = ("scipy==1.17.1", "splink==5.0.0", _DUCKDB)


def python_with(wanted: Sequence[str], folder: Path) -> Path | None:
    """The interpreter of an environment in `folder` that has `wanted`; None if it can't be had."""
    python = folder / "bin" / "python"
    names = [one.split("==")[0].split("[")[0] for one in wanted]
    if _succeeds(python, "-c", f"import {', '.join(names)}"):
        return python
    made = _succeeds(sys.executable, "-m", "venv", "--clear", folder)
    if made and _succeeds(python, "-m", "pip", "install", "--quiet", *wanted):
        return python
    return None


def _succeeds(*command: str | Path) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False
