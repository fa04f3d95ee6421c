"""Stands in for Cloud Storage's JSON API: what the real client uploads, reads and deletes."""

import json
import re
import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

import google_crc32c

_OBJECT = re.compile(r"(/upload|/download)?/storage/v1/b/([^/]+)/o(?:/(.+))?")


class CloudStorage:
    """Objects are files: `gs://bucket/name` is `folder/bucket/name`; a bucket is a folder there.

    Names in `denied` are buckets that nobody may use.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.denied: set[str] = set()
        self.requests: list[str] = []
        self.sessions: dict[str, tuple[str, str, bytearray]] = {}
        self.numbers = count(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.stand_in = self  # type: ignore[attr-defined]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def make_bucket(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Begin a resumable upload, or take all of one at once."""
        stand_in, bucket, _, query = self._read()
        if bucket is None:
            return
        if query["uploadType"] == ["resumable"]:
            number = str(next(stand_in.numbers))
            name = query.get("name", [json.loads(self.body or b"{}").get("name")])[0]
            stand_in.sessions[number] = (bucket, name, bytearray())
            place = f"{stand_in.url}/upload/storage/v1/b/{bucket}/o?upload_id={number}"
            self._answer(200, {}, Location=place)
            return
        boundary = re.search('boundary="?([^";]+)', self.headers["Content-Type"])
        _, head, content, _ = self.body.split(f"--{boundary[1]}".encode(), 3)
        name = json.loads(head.partition(b"\r\n\r\n")[2])["name"]
        self._keep(bucket, name, content.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n"))

    def do_PUT(self) -> None:
        """One chunk of a resumable upload: `Content-Range: bytes 0-9/20`."""
        stand_in, _, _, query = self._read()
        bucket, name, kept = stand_in.sessions[query["upload_id"][0]]
        kept.extend(self.body)
        total = self.headers["Content-Range"].rpartition("/")[2]
        if total == str(len(kept)):
            self._keep(bucket, name, bytes(kept))
        else:
            self._answer(308, {}, Range=f"bytes=0-{len(kept) - 1}")

    def do_GET(self) -> None:
        stand_in, bucket, name, query = self._read()
        if bucket is not None:
            path = stand_in.folder / bucket / name
            if not path.is_file():
                self._refuse(404, "notFound", f"No such object: {bucket}/{name}")
            elif query.get("alt") == ["media"]:
                self._send(200, path.read_bytes(), {})
            else:
                self._answer(200, _told(bucket, name, path.read_bytes()))

    def do_DELETE(self) -> None:
        stand_in, bucket, name, _ = self._read()
        if bucket is not None:
            path = stand_in.folder / bucket / name
            if not path.is_file():
                self._refuse(404, "notFound", f"No such object: {bucket}/{name}")
                return
            path.unlink()
            self._send(204, b"", {})

    def _read(self):
        """The request; its bucket is None where it was refused for it."""
        stand_in = self.server.stand_in
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        stand_in.requests.append(f"{self.command} {url.path}")
        bucket, name = (unquote(part or "") for part in _OBJECT.fullmatch(url.path).group(2, 3))
        query = parse_qs(url.query)
        if bucket in stand_in.denied:
            action = {"POST": "create", "DELETE": "delete"}.get(self.command, "get")
            self._refuse(
                403,
                "forbidden",
                f"loader@test.iam.gserviceaccount.com does not have storage.objects.{action} "
                "access to the Google Cloud Storage object.",
            )
            bucket = None
        elif not (stand_in.folder / bucket).is_dir():
            self._refuse(404, "notFound", "The specified bucket does not exist.")
            bucket = None
        return stand_in, bucket, name, query

    def _keep(self, bucket: str, name: str, content: bytes) -> None:
        path = self.server.stand_in.folder / bucket / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self._answer(200, _told(bucket, name, content))

    def _refuse(self, status: int, reason: str, message: str) -> None:
        errors = [{"message": message, "domain": "global", "reason": reason}]
        self._answer(status, {"error": {"code": status, "message": message, "errors": errors}})

    def _answer(self, status: int, body: object, **headers: str) -> None:
        headers = {"Content-Type": "application/json", **headers}
        self._send(status, json.dumps(body).encode(), headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def _told(bucket: str, name: str, content: bytes) -> dict[str, str]:
    crc32c = b64encode(google_crc32c.Checksum(content).digest()).decode()
    size = str(len(content))
    return {"bucket": bucket, "name": name, "size": size, "crc32c": crc32c, "generation": "1"}
