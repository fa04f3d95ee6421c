"""A retry in a process of its own: python -m tests.load.retrial WORKSPACE.

Says that it is ready, and begins once it is told to.
"""

import os
import subprocess
import sys
from pathlib import Path

from loader.config import Workspace
from loader.load import Selection, retry_violations
from tests.load.child import start_module


def retry_and_kill(workspace, seconds):
    """Let a retry run for so long, then kill it; how it ended."""
    process = start_module("tests.load.retrial", str(workspace.root))
    process.stdout.readline()
    process.stdin.write(b"go\n")
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate()
    return process.returncode


if __name__ == "__main__":
    os.write(1, b"ready\n")
    sys.stdin.readline()
    retry_violations(Workspace(Path(sys.argv[1])), Selection())
