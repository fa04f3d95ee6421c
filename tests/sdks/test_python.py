"""segment-analytics-python with the code of docs/how-to/python.md."""

import json
import os
import subprocess
import sys

from tests.collector.child import KEYS
from tests.sdks.calls import assert_kept, make_calls
from tests.sdks.how_to import block
from tests.sdks.needs import HERE
from tests.sdks.proxy import FAULTS
from tests.sdks.stand import assert_stored


def run(folder, host, calls, settings=""):
    """What the SDK reported when the how-to's code was through: failed ids, calls that raised."""
    (folder / "calls.json").write_text(json.dumps(calls))
    parts = [block("python", "## Set it up", host=host), settings]
    parts.append((HERE / "python_tail.py").read_text())
    parts.append(block("python", "## Send events", host=host))
    parts.append(block("python", "## Send what is left before the process ends", host=host))
    parts.append("print(json.dumps([failed, raised]))\n")
    (folder / "app.py").write_text("\n".join(parts))
    ended = subprocess.run(
        [sys.executable, "app.py", "calls.json"],
        cwd=folder,
        env=os.environ | {"SEGMENT_SERVER_WRITE_KEY": KEYS["SERVER_WRITE_KEY"]},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return json.loads(ended.stdout)


def test_what_python_sends_in_compressed_batches_is_stored_as_it_was_sent(stand, tmp_path):
    proxy, calls = stand.proxy(), make_calls(60)

    reported = run(tmp_path, proxy.url, calls)

    rows = assert_stored(stand, proxy)
    assert (reported, len(rows)) == ([[], []], 62)
    assert_kept(calls, rows)
    assert {x.headers.get("Content-Encoding") for x in proxy.exchanges} == {"gzip"}


def test_what_python_sends_in_plain_batches_is_stored_as_it_was_sent(stand, tmp_path):
    proxy, calls = stand.proxy(), make_calls(60)

    reported = run(tmp_path, proxy.url, calls, "analytics.gzip = False")

    rows = assert_stored(stand, proxy)
    assert (reported, len(rows)) == ([[], []], 62)
    assert_kept(calls, rows)
    assert {x.headers.get("Content-Encoding") for x in proxy.exchanges} == {None}


def test_what_python_reports_as_delivered_is_stored_once_whatever_fails(stand, tmp_path):
    proxy, calls = stand.proxy(FAULTS), make_calls(240)

    reported = run(tmp_path, proxy.url, calls)

    rows = assert_stored(stand, proxy)
    assert (reported, len(rows)) == ([[], []], 242)
    assert_kept(calls, rows)
    assert {*FAULTS} <= {exchange.fault for exchange in proxy.exchanges}


def test_what_python_sends_at_once_is_stored_unless_it_raised(stand, tmp_path):
    proxy, calls = stand.proxy([None, *FAULTS]), make_calls(24)
    settings = "analytics.sync_mode = True\nanalytics.max_retries = 0"

    failed, raised = run(tmp_path, proxy.url, calls, settings)

    rows = assert_stored(stand, proxy)
    numbers = {row.get("context_test_n") for row in rows.values()}
    assert (failed, [n for n, _ in raised]) == ([], [1, 2, 3, 4])
    assert numbers == {None, *range(24)} - {1, 2, 3, 4}
