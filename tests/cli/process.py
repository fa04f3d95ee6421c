"""`headwater` as a process of its own."""

import subprocess
import sys
from pathlib import Path

import loader

CHECKOUT = Path(loader.__file__).parent.parent


def headwater_process(*arguments):
    """The command, started; its stdout and stderr are pipes of text."""
    return subprocess.Popen(
        [sys.executable, "-m", "loader.cli", *arguments],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
