"""The emulator as a child process: BigQuery's REST API and its Storage API, on loopback."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self
from urllib.error import URLError
from urllib.request import urlopen

PROJECT = "headwater-test"
_HERE = Path(__file__).parent / "emulator"
PYTHON = _HERE / ".venv/bin/python"
_START_SECONDS = 90


class Emulator:
    """Keeps its data in `folder`, so that it can be stopped, killed and started again.

    `gs://bucket/name` is the file `folder/gcs/bucket/name`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.grpc_port = _free_port(), _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def storage_url(self) -> str:
        return f"http://127.0.0.1:{self.grpc_port}"

    @property
    def buckets(self) -> Path:
        return self.folder / "gcs"

    def start(self) -> Self:
        self.buckets.mkdir(parents=True, exist_ok=True)
        log = (self.folder / "log").open("ab")
        ports = ["--rest-port", str(self.port), "--grpc-port", str(self.grpc_port)]
        data = ["--persistent", "--data-dir", str(self.folder / "data")]
        self._process = subprocess.Popen(
            [str(PYTHON), "start.py", "start", *ports, *data, "--project", PROJECT],
            cwd=_HERE,
            env={**os.environ, "BQEMU_GCS_LOCAL_ROOT": str(self.buckets)},
            stdout=log,
            stderr=log,
        )
        log.close()
        self._await()
        return self

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(how)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _await(self) -> None:
        assert self._process
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urlopen(f"{self.url}/bigquery/v2/projects/{PROJECT}/datasets", timeout=5):
                    return
            except (URLError, OSError):
                time.sleep(0.05)  # until it listens: there is nothing to wait on
        log = (self.folder / "log").read_text(errors="replace")[-2_000:]
        raise AssertionError(f"the emulator did not start: {log}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
