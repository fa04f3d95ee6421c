import json
import os
import select
import signal
import time
from contextlib import suppress

import pytest

from tests.load.child import start_module


class Killer:
    """Begins forgets and ends them by SIGKILL."""

    def __init__(self) -> None:
        self._process = start_module("tests.forget.child")

    def forget(self, workspace, asked: str, *, seconds: float, until: str | None = None) -> None:
        """Let one work for so long, or until it says `until`, which it has to within that time."""
        self._tell([str(workspace.root), asked])
        child = int(self._process.stdout.readline())
        deadline = time.monotonic() + seconds
        has_said = until is None
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self._process.stdout], [], [], left)[0]:
                told = self._process.stdout.readline().decode()
                if until is not None and until in told:
                    has_said = True
                    break
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        self._tell("let go")
        while not self._process.stdout.readline().strip().lstrip(b"-").isdigit():
            pass
        assert has_said

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _tell(self, message) -> None:
        self._process.stdin.write(json.dumps(message).encode() + b"\n")


@pytest.fixture(scope="session")
def killer():
    killer = Killer()
    yield killer
    killer.close()
