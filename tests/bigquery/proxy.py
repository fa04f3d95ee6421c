"""An HTTP proxy before the emulator, which a test tells what shall go wrong, and how often."""

import contextlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

# A load job of a file begins with LOAD, and runs once the last CHUNK is there.
LOAD: Final = r"POST /upload/bigquery/v2/projects/[^/]+/jobs\?uploadType=resumable"
CHUNK: Final = r"PUT /upload/bigquery/v2/projects/[^/]+/jobs"
JOB: Final = r"POST (/upload)?/bigquery/v2/projects/[^/]+/jobs"  # of any kind
WRITES: Final = r"(POST|PUT|PATCH|DELETE) "  # what may change something
_HOP: Final = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "host"}


@dataclass(frozen=True)
class Refusal:
    """An answer as BigQuery gives it: https://cloud.google.com/bigquery/docs/error-messages"""

    status: int
    reason: str
    message: str

    @property
    def body(self) -> bytes:
        told = {"message": self.message, "domain": "global", "reason": self.reason}
        error = {"code": self.status, "message": self.message, "errors": [told]}
        return json.dumps({"error": error}).encode()


class Break(Enum):
    """What becomes of a connection."""

    CUT = auto()  # before anything is forwarded
    LOSE_ANSWER = auto()  # it was done, and nobody hears of it


QUOTA: Final = Refusal(
    403,
    "quotaExceeded",
    "Quota exceeded: Your table exceeded quota for imports or query appends per table.",
)
RATE_LIMIT: Final = Refusal(
    403,
    "rateLimitExceeded",
    "Exceeded rate limits: too many table update operations for this table.",
)
ACCESS_DENIED: Final = Refusal(
    403,
    "accessDenied",
    "Access Denied: Project headwater-test: User does not have bigquery.jobs.create permission "
    "in project headwater-test.",
)
NO_DATASET: Final = Refusal(404, "notFound", "Not found: Dataset headwater-test:raw")
UNAVAILABLE: Final = Refusal(503, "backendError", "Error encountered during execution. Try again.")
BACKEND: Final = Refusal(500, "backendError", "An internal error occurred. Try again.")


@dataclass(frozen=True)
class Do:
    """What a test does at that moment; the request is cut then, before or after it was done."""

    action: Callable[[], object]
    is_done: bool = False


Fault = Refusal | Break | Do


@dataclass
class _Rule:
    pattern: re.Pattern[str]
    fault: Fault
    left: int | None
    passing: int = 0


class Proxy:
    """Forwards to `target` what no fault is set for; notes each request as `METHOD /path?query`."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.requests: list[str] = []
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.proxy = self  # type: ignore[attr-defined]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator["Proxy"]:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()

    def fail(self, pattern: str, fault: Fault, *, times: int | None = 1, passing: int = 0) -> None:
        """Let the next `times` requests that begin with `pattern` fail; None: all of them.

        So many of them as `passing` says go through before.
        """
        with self._lock:
            self._rules.append(_Rule(re.compile(pattern), fault, times, passing))

    def heal(self) -> None:
        """From now on nothing fails."""
        with self._lock:
            self._rules.clear()

    def count(self, pattern: str) -> int:
        """How many requests began with `pattern` until now, failed ones too."""
        with self._lock:
            return sum(bool(re.match(pattern, request)) for request in self.requests)

    def judge(self, request: str) -> Fault | None:
        """Note a request; what shall become of it."""
        with self._lock:
            self.requests.append(request)
            for rule in self._rules:
                if rule.left != 0 and rule.pattern.match(request):
                    if rule.passing:
                        rule.passing -= 1
                        continue
                    rule.left = None if rule.left is None else rule.left - 1
                    return rule.fault
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # whatever the method
            return self._pass
        raise AttributeError(name)

    def _pass(self) -> None:
        body = self._body()
        fault = self.server.proxy.judge(f"{self.command} {self.path}")
        if isinstance(fault, Do):
            if fault.is_done:
                self._forward(body)
            fault.action()
            self._cut()
        elif fault is Break.CUT:
            self._cut()
        elif isinstance(fault, Refusal):
            self._send(fault.status, {"Content-Type": "application/json"}, fault.body)
        else:
            status, headers, answer = self._forward(body)
            if fault is Break.LOSE_ANSWER:
                self._cut()
            else:
                self._send(status, headers, answer)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        proxy = self.server.proxy
        target = urlsplit(proxy.target)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
        connection = HTTPConnection(str(target.hostname), target.port, timeout=60)
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            told = {k: v for k, v in answer.getheaders() if k.lower() not in _HOP}
            if "location" in told:  # of an upload: its chunks come by the proxy too
                told["location"] = told["location"].replace(proxy.target, proxy.url)
            return answer.status, told, answer.read()
        finally:
            connection.close()

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)

    def _cut(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""
