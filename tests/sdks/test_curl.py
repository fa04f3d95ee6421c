"""curl with the code of docs/how-to/http.md."""

import os
import subprocess

import pytest

from tests.collector.child import KEYS
from tests.sdks.how_to import block
from tests.sdks.needs import need
from tests.sdks.stand import assert_stored

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
TITLES = {
    "## One event, the write key as the user of Basic authentication": (JSON, None, ["pay-7781"]),
    "## The write key in the body": (FORM, None, ["who-12345"]),
    "## Many events, compressed": (JSON, "gzip", ["m-1", "m-2"]),
}


@pytest.mark.parametrize("title", TITLES)
def test_what_curl_sends_is_stored_as_it_was_sent(stand, tmp_path, title):
    need("curl", "gzip")
    proxy = stand.proxy()

    ended = subprocess.run(
        ["sh", "-euc", block("http", title, host=proxy.url)],
        cwd=tmp_path,
        env=os.environ | {"WRITE_KEY": KEYS["SERVER_WRITE_KEY"]},
        check=False,
        capture_output=True,
        text=True,
    )

    content_type, encoding, ids = TITLES[title]
    assert (ended.returncode, ended.stdout) == (0, '{"success":true}'), ended.stderr
    rows = assert_stored(stand, proxy)
    assert sorted(rows) == ids
    assert {row["source_id"] for row in rows.values()} == {"server"}
    [exchange] = proxy.exchanges
    assert exchange.headers["Content-Type"] == content_type
    assert exchange.headers.get("Content-Encoding") == encoding


def test_a_wrong_key_is_refused_with_a_code_and_a_message(stand, tmp_path):
    need("curl")
    proxy = stand.proxy()
    title = "## One event, the write key as the user of Basic authentication"

    ended = subprocess.run(
        ["sh", "-euc", block("http", title, host=proxy.url)],
        cwd=tmp_path,
        env=os.environ | {"WRITE_KEY": "no-such-key"},
        check=False,
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 22  # an answer of 400 or more
    assert '"success":false,"code":"' in ended.stdout
    assert proxy.acknowledged == []
