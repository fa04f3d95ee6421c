"""Two loads at once."""

import contextlib
import json
import subprocess

import pytest

from loader.errors import Busy
from loader.load import load_files
from loader.locks import holder_of
from tests.load.child import start_load

LINE = b'{"type":"page","userId":"u","messageId":"%d"}\n'


def test_the_second_load_says_at_once_who_is_at_work(workspace, write_ndjson, raw):
    path = write_ndjson([LINE.strip() % 2])
    with start_load(workspace, "-") as first:
        while holder_of(workspace.home / "load.lock") is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                assert first.wait(timeout=0.01) is None, "it should be waiting for its input"

        with pytest.raises(Busy, match=rf"another load is at work here \(process {first.pid}\)"):
            load_files(workspace, [path])

        outcome = json.loads(first.communicate(LINE % 1)[0])

    assert outcome["accepted"] == 1
    assert load_files(workspace, [path]).accepted == 1
    assert raw(workspace, "select id from raw.pages order by _seq") == [("1",), ("2",)]
