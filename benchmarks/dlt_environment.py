"""An environment for dlt alone, since its dependencies are not ours; made once, then kept."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa

_WANTED = (
    "dlt[duckdb]==1.31.0",
    f"duckdb=={duckdb.__version__}",
    f"pyarrow=={pa.__version__}",
)


def python_with_dlt(folder: Path) -> Path | None:
    """The interpreter of an environment in `folder` that has dlt; None if it can't be had."""
    python = folder / "bin" / "python"
    if _succeeds(python, "-c", "import dlt, duckdb, pyarrow"):
        return python
    made = _succeeds(sys.executable, "-m", "venv", "--clear", folder)
    if made and _succeeds(python, "-m", "pip", "install", "--quiet", *_WANTED):
        return python
    return None


def _succeeds(*command: str | Path) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False
