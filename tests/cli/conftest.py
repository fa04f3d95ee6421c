import json
from dataclasses import dataclass

import pytest

from loader.cli import main
from loader.scaffold import create_workspace


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self):
        return json.loads(self.out)


@pytest.fixture
def headwater(capsys, monkeypatch):
    """Runs one command in this process, as the shell would."""
    monkeypatch.setenv("HEADWATER_DEBUG", "")  # undone afterwards: --debug sets it

    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        written = capsys.readouterr()
        return Ended(code, written.out, written.err)

    return run


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A new workspace, which is the current folder too."""
    created = create_workspace(tmp_path / "ws")
    monkeypatch.chdir(created.root)
    return created


ORDER = {
    "messageId": "m-1",
    "type": "track",
    "event": "Order Completed",
    "userId": "usr_1",
    "properties": {"order_id": "ORDER-1", "total": 14500, "currency": "RUB"},
    "timestamp": "2025-03-04T10:00:00Z",
}


@pytest.fixture
def events(tmp_path):
    """Writes events, one a line, to a file; a property given as a keyword is the order's."""

    def write(*changes):
        lines = [
            {
                **ORDER,
                "messageId": f"m-{number}",
                "properties": {**ORDER["properties"], **change},
            }
            for number, change in enumerate(changes)
        ]
        path = tmp_path / "events.ndjson"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return path

    return write
