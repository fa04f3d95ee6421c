"""A real collector for the time of a test: a process of its own, on a free port."""

import copy
import http.client
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from loader.config import Workspace
from loader.contracts import Contracts, read_contracts
from loader.errors import ConfigError, Unavailable
from loader.event.envelope import normalise
from loader.testing.received import SpoolReader

_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.01
_LOG: Final = "collect.log"
_READY: Final = re.compile(r"^collect\.ready url=http://([^ :]+):(\d+)", re.MULTILINE)
_REQUESTS: Final = re.compile(r'^headwater_requests_total\{status="(\d+)"\} (\S+)', re.MULTILINE)


class RunningCollector:
    """Where to send events to, and what has come so far.

    `url` goes where an SDK wants its host, `write_key` where it wants its key; `workspace` is the
    folder for commands, as in `headwater load --workspace`.
    """

    def __init__(self, workspace: Path, host: str, port: int, write_key: str) -> None:
        self.url = f"http://{host}:{port}"
        self.write_key = write_key
        self.workspace = workspace
        self._address = (host, port)
        state = Workspace(workspace)
        self._contracts = Contracts(read_contracts(state.schemas))
        self._reader = SpoolReader(state.spool)
        self._events: list[dict[str, Any]] = []
        self._refused_before: dict[int, int] = {}

    def events(self) -> list[dict[str, Any]]:
        """Every event that was acknowledged, in order, as it was sent.

        What a batch says for all of its events stands in each; the write key in none. What a load
        takes out of the workspace before it was asked for here is not seen.
        """
        self._events += self._reader.read()
        return list(self._events)

    def clear(self) -> None:
        """Forget what has come so far."""
        self._reader.read()
        self._events = []
        self._refused_before = self._all_refused()

    def refused(self) -> dict[int, int]:
        """How many requests were refused, by status: 401 for instance tells of a wrong key."""
        before = self._refused_before
        counts = {status: n - before.get(status, 0) for status, n in self._all_refused().items()}
        return {status: count for status, count in counts.items() if count}

    def objections(self, event: dict[str, Any]) -> list[str]:
        """Why a load would keep the event back, if it would: each broken rule and its place."""
        event = copy.deepcopy(event)
        rejection = normalise(event, {})
        found = [rejection] if rejection else self._contracts.violations(event)
        return [f"{each.path}: {each.message}" for each in found]

    def _all_refused(self) -> dict[int, int]:
        connection = http.client.HTTPConnection(*self._address, timeout=10)
        try:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        finally:
            connection.close()
        counts = {int(status): int(float(count)) for status, count in _REQUESTS.findall(text)}
        return {status: count for status, count in counts.items() if status >= 400}


@contextmanager
def collector(
    *, schemas: str | PathLike[str] | None = None, write_key: str = "test_write_key"
) -> Iterator[RunningCollector]:
    """Serve on a free port of 127.0.0.1, in a workspace that is gone when the block ends.

    With `schemas`, a folder of contracts, the assertions fail for events that break them. Raises
    ConfigError if that folder or a file in it is wrong.
    """
    if schemas is not None and not Path(schemas).is_dir():
        raise ConfigError(
            f"{schemas}: no such folder", fix="name a folder of contracts, such as schemas"
        )
    with TemporaryDirectory(prefix="headwater-", ignore_cleanup_errors=True) as folder:
        workspace = Path(folder).resolve()
        if schemas is not None:
            shutil.copytree(schemas, workspace / "schemas")
        config = {"sources": {"test": {"write_key": write_key}}}
        (workspace / "headwater.yml").write_text(json.dumps(config), encoding="utf-8")  # YAML, too
        with (workspace / _LOG).open("wb") as log:
            command = [sys.executable, "-m", "loader.cli", "collect", "--port", "0"]
            process = subprocess.Popen(
                [*command, "--workspace", str(workspace)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            host, port = _await_ready(process, workspace / _LOG)
            yield RunningCollector(workspace, host, port, write_key)
        finally:
            _stop(process)


def _await_ready(process: "subprocess.Popen[bytes]", log: Path) -> tuple[str, int]:
    """The host and port that it serves on; Unavailable if it doesn't come to that."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        has_ended = process.poll() is not None
        said = log.read_text(encoding="utf-8", errors="replace")
        if found := _READY.search(said):
            return found[1], int(found[2])
        if has_ended or time.monotonic() > deadline:
            raise Unavailable(f"the collector did not start: {said.strip() or 'it said nothing'}")
        time.sleep(_LOOK_SECONDS)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
