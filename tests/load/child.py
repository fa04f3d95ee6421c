"""A load in a process of its own: python -m tests.load.child WORKSPACE INPUT…

Prints what came of it as JSON: the counts, or the error's class and text.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import loader
from loader.config import Workspace
from loader.errors import LoaderError
from loader.load import load_files

CHECKOUT = Path(loader.__file__).parents[1]


def start_module(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """The module as a process, its standard input and output as pipes."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, cwd=CHECKOUT, bufsize=0, **pipes)


def start_load(workspace: Workspace, *inputs: str) -> subprocess.Popen[bytes]:
    """A load as a process."""
    return start_module("tests.load.child", str(workspace.root), *inputs)


def load(root: str, inputs: list[str]) -> dict[str, Any]:
    """What came of a load."""
    try:
        return load_files(Workspace(Path(root)), inputs).as_json()
    except LoaderError as problem:
        return {"error": type(problem).__name__, "message": str(problem)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(load(sys.argv[1], sys.argv[2:])))
