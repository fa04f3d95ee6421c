"""A webhook's receiver on 127.0.0.1: it takes what is signed with the secret, and counts it."""

import hmac
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

_MAX_AGE_SECONDS = 300


def is_signed(body: bytes, headers: Mapping[str, str], secret: str, now: float) -> bool:
    """Whether both signatures fit `body` and the stamped one is of these minutes, no replay."""
    key = secret.encode()
    stamp, _, stamped = headers.get("X-Headwater-Signature", "").partition(",v1=")
    seconds = stamp.removeprefix("t=")
    if not seconds.isdecimal() or abs(now - int(seconds)) > _MAX_AGE_SECONDS:
        return False
    whole = hmac.digest(key, seconds.encode() + b"." + body, "sha256").hex()
    plain = hmac.digest(key, body, "sha1").hex()
    return _equal(whole, stamped) and _equal(plain, headers.get("X-Signature", ""))


def _equal(wanted: str, found: str) -> bool:
    return hmac.compare_digest(wanted.encode(), found.encode())


class Receiver(ThreadingHTTPServer):
    """Answers 200 to each signed row and 400 to what is not; a repeated row counts once."""

    daemon_threads = True
    request_queue_size = 128  # a sync opens many connections at once

    def __init__(self, secret: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.secret = secret
        self.rows: dict[str, Any] = {}  # by Idempotency-Key

    @property
    def url(self) -> str:
        """Where rows are posted to."""
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if is_signed(body, dict(self.headers), self.server.secret, time.time()):
            self.server.rows[self.headers["Idempotency-Key"]] = json.loads(body)
            self._answer(200, b"{}")
        else:
            self._answer(400, b'{"error": "the signature does not fit the body"}')

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Nothing: the demo's output is its own."""


@contextmanager
def receiving(secret: str) -> Iterator[Receiver]:
    """A receiver that is listening while the block runs."""
    with Receiver(secret) as receiver:
        thread = Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()
