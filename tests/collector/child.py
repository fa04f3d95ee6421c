"""A collector as a process of its own, and plain ways to talk to it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loader.config import Workspace

KEYS = {"WEB_WRITE_KEY": "wk_web", "SERVER_WRITE_KEY": "wk_server"}
BASIC = {"Authorization": "Basic d2tfc2VydmVyOg=="}  # wk_server:


class Collector:
    """A collector that serves; `stop` ends it as systemd would."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.log: list[str] = []
        host, port = url.removeprefix("http://").rsplit(":", 1)
        self.address = (host.strip("[]"), int(port))

    def post(
        self, path: str, body: Any, headers: dict[str, str] | None = None, method: str = "POST"
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (names in lower case) and body of the answer."""
        connection = http.client.HTTPConnection(*self.address, timeout=20)
        try:
            data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            connection.request(method, path, data, BASIC if headers is None else headers)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, named, answer.read()
        finally:
            connection.close()

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any, bytes]:
        return self.post(path, None, headers or {}, "GET")

    def connect(self) -> socket.socket:
        """A plain connection, for what no HTTP library would send."""
        return socket.create_connection(self.address, timeout=20)

    def exchange(self, *parts: bytes) -> bytes:
        """Everything that is answered until the collector closes the connection."""
        with self.connect() as connection:
            for part in parts:
                connection.sendall(part)
            return read_all(connection)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.log += self.process.communicate(timeout=30)[1].splitlines()
        return self.process.returncode

    def kill(self) -> None:
        """SIGKILL: nothing more is written."""
        self.process.kill()
        self.process.communicate(timeout=30)


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    parts = []
    while part := connection.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def start_collector(workspace: Workspace, *arguments: str, **environment: str) -> Collector:
    """A collector of the workspace on a free port; returns when it serves."""
    command = [sys.executable, "-m", "loader.cli", "collect", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--workspace", str(workspace.root), *arguments],
        env=os.environ | KEYS | environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith("collect.ready"):
            url = dict(word.split("=", 1) for word in line.split()[1:])["url"]
            return Collector(process, url)
    raise AssertionError(f"the collector did not start: {''.join(said)}")


@contextmanager
def collecting(workspace: Workspace, *arguments: str, **environment: str) -> Iterator[Collector]:
    """The same for the time of a block."""
    collector = start_collector(workspace, *arguments, **environment)
    try:
        yield collector
    finally:
        collector.stop()


def configure(workspace: Workspace, **settings: Any) -> None:
    """Write headwater.yml: the two usual sources, and what else is wanted."""
    found = {
        "sources": {
            "web": {"write_key": "${WEB_WRITE_KEY}"},
            "server": {"write_key": "${SERVER_WRITE_KEY}"},
        },
        **settings,
    }
    (workspace.root / "headwater.yml").write_text(json.dumps(found))  # which is YAML, too


def spooled(workspace: Workspace) -> list[dict[str, Any]]:
    """Every whole line of the spool, sealed or not, as JSON; in order of the segments' names."""
    found = []
    for path in segments(workspace):
        for line in path.read_bytes().split(b"\n"):
            if line.strip(b"\0"):
                found.append(json.loads(line.partition(b"\t")[2]))
    return found


def segments(workspace: Workspace) -> list[Path]:
    """Every segment of the spool, by name."""
    found = [*workspace.spool.glob("*/*.sealed"), *workspace.spool.glob("*/*.open")]
    return sorted(found, key=lambda path: path.name)


def wait_until(is_so: Any, what: str, seconds: float = 20.0) -> None:
    """Return once `is_so()`; AssertionError if it takes too long."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)
