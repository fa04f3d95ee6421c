"""The guide's PHP class, and the same on curl, with the code of docs/how-to/php.md."""

import os
import subprocess

import pytest

from tests.collector.child import KEYS
from tests.sdks.how_to import block
from tests.sdks.needs import HERE, need
from tests.sdks.stand import assert_stored

CALLS = {
    "## With Laravel": "$segment = new SegmentService(); $send = $segment->track(...);",
    "## With curl alone": r'$send = fn (...$given) => print(track(...$given) ? "200\n" : "0\n");',
}


@pytest.fixture(autouse=True)
def _is_possible():
    need("php", "php-curl")


@pytest.mark.parametrize("title", CALLS)
def test_what_php_sends_is_stored_as_it_was_sent(stand, tmp_path, title):
    proxy = stand.proxy()
    code = (
        (HERE / "laravel.php").read_text(),
        block("php", title, host=proxy.url),
        CALLS[title],
        "$send('usr_1', 'Payment Made', ['total' => 14500, 'tags' => ['a', 'b']]);",
        "$send('usr_2', 'Session Ended');",
    )
    (tmp_path / "app.php").write_text("\n".join(code))

    ended = subprocess.run(
        ["php", "-d", "error_reporting=-1", "app.php"],
        cwd=tmp_path,
        env=os.environ | {"SEGMENT_SERVER_WRITE_KEY": KEYS["SERVER_WRITE_KEY"]},
        check=True,
        capture_output=True,
        text=True,
    )

    rows = assert_stored(stand, proxy)
    assert ended.stdout == "200\n200\n"
    by_user = {row["user_id"]: row for row in rows.values()}
    assert (by_user["usr_1"]["total"], by_user["usr_1"]["tags"]) == (14500, '["a","b"]')
    assert by_user["usr_2"]["event_text"] == "Session Ended"
    assert proxy.exchanges[1].events[0]["properties"] == []  # PHP's empty array
