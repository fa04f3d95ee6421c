"""Loads in processes of their own that start at once, since they are forked from a warm one.

As a module it is that warm process. For each line on its standard input it forks; it tells the
child's process id, the child tells what came of the load, and after the next line, which lets the
process id go, it tells how the child ended.
"""

import json
import os
import resource
import select
import signal
import sys
from typing import Any

import pyarrow as pa

from loader.config import Workspace
from tests.load.child import load, start_module


class Nursery:
    """Starts one load at a time."""

    def __init__(self) -> None:
        self._process = start_module("tests.load.nursery")
        self._child = 0

    def start(self, workspace: Workspace, inputs: list[str], max_file_bytes: int = -1) -> None:
        self._tell([str(workspace.root), inputs, max_file_bytes])
        self._child = self._next()

    def has_ended(self, within_seconds: float) -> bool:
        """Whether the load has ended, after at most so long."""
        return bool(select.select([self._process.stdout], [], [], within_seconds)[0])

    def kill(self) -> int:
        """End the load by SIGKILL, if it has not ended yet; how it ended."""
        os.kill(self._child, signal.SIGKILL)
        return self.wait()[0]

    def wait(self) -> tuple[int, dict[str, Any]]:
        """Let the load end: its exit code, or minus the signal that ended it, and its outcome."""
        self._tell("let go")
        outcome = {}
        while isinstance(told := self._next(), dict):
            outcome = told
        return told, outcome

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _tell(self, message: Any) -> None:
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    def _next(self) -> Any:
        return json.loads(self._process.stdout.readline())


def main() -> None:
    pa.array([1])  # imports pandas, which every child would do again
    for line in sys.stdin:
        root, inputs, max_file_bytes = json.loads(line)
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_bytes, resource.RLIM_INFINITY))
            say(load(root, inputs))
            os._exit(0)
        say(child)
        sys.stdin.readline()
        say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def say(message: Any) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main()
