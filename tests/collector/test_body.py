"""A body is JSON and within bounds before it is spooled."""

import gzip
import json
import zlib

import pytest

from loader.collector.body import MAX_BODY_BYTES, read_body
from loader.collector.http import Refused


def refused(raw, encoding=b""):
    with pytest.raises(Refused) as caught:
        read_body(raw, encoding)
    answer = caught.value.answer
    told = json.loads(answer.body)
    assert told["success"] is False
    return answer.status, told["code"], told["message"]


def test_a_batch_is_counted_and_its_write_key_found():
    body = read_body(b'{"batch":[{"a":1},{}],"writeKey":"k"}', b"")

    assert (body.events, body.write_key) == (2, "k")


def test_an_event_is_no_batch():
    body = read_body(b'{"event":"x","writeKey":7}', b"")

    assert (body.events, body.write_key) == (None, "")


def test_what_is_no_object_in_a_batch_is_left_to_the_load():
    body = read_body(b'{"batch":[{"writeKey":"k"},3,null,[],"x",{"writeKey":null}]}', b"")

    assert body.events == 6
    assert body.keys_of_events() == ["k", "", "", "", "", ""]


def test_line_breaks_between_things_go_and_those_in_strings_stay():
    text = json.dumps({"event": "a\nb", "list": [1, 2]}, indent=2).encode()

    body = read_body(text, b"")

    assert b"\n" not in body.text
    assert json.loads(body.text) == json.loads(text)


def test_half_of_a_surrogate_pair_is_mended_and_its_batch_taken():
    body = read_body(b'{"batch":[{"event":"cut \\ud83d"},{"event":"whole \\ud83d\\ude00"}]}', b"")

    assert [e["event"] for e in json.loads(body.text)["batch"]] == ["cut \ufffd", "whole 😀"]


def test_a_byte_order_mark_is_passed_over():
    assert read_body(b'\xef\xbb\xbf{"event":"x"}', b"").text == b'{"event":"x"}'


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b'{"a":1}x', "invalid_json"),
        (b'{"a":NaN}', "invalid_json"),
        (b'{"a":"\xff"}', "invalid_json"),
        (b'{"a":"\x01"}', "invalid_json"),
        (b'{"batch":[{"a":"\xff"}]}', "invalid_json"),
        (b'{"batch":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "invalid_json"),
        (b"[" * 100_000 + b"]" * 100_000, "invalid_body"),
        (b"[]", "invalid_body"),
        (b'"text"', "invalid_body"),
        (b"null", "invalid_body"),
        (b'{"batch":{}}', "invalid_body"),
        (b'{"batch":null}', "invalid_body"),
        (b'{"batch":"[]"}', "invalid_body"),
    ],
)
def test_what_is_not_json_or_no_object_is_refused_with_its_reason(raw, code):
    status, found, message = refused(raw)

    assert (status, found) == (400, code)
    assert message


def test_gzip_is_taken_in_one_member_and_in_several():
    text = b'{"batch":[{"event":"x"}]}'

    assert read_body(gzip.compress(text), b"gzip").text == text
    assert read_body(gzip.compress(text[:9]) + gzip.compress(text[9:]), b"x-gzip").text == text
    assert read_body(text, b"identity").text == text


def test_a_gzip_bomb_is_stopped_at_the_limit():
    bomb = gzip.compress(b" " * 500_000_000, compresslevel=1)

    assert refused(bomb, b"gzip")[:2] == (413, "too_large")


def test_many_members_together_are_bounded_too():
    part = gzip.compress(b" " * (MAX_BODY_BYTES // 2))

    assert refused(part * 3, b"gzip")[:2] == (413, "too_large")


def test_members_without_end_that_hold_nothing_are_refused():
    assert refused(gzip.compress(b"") * 100_000, b"gzip")[:2] == (400, "invalid_gzip")


def test_a_body_of_a_million_nothings_is_refused():
    nothings = b'{"batch":[' + b"{}," * 1_000_000 + b"{}]}"

    assert refused(nothings)[:2] == (413, "too_large")


def test_damaged_gzip_and_other_encodings_are_refused():
    whole = gzip.compress(b'{"event":"x"}')

    assert refused(whole[:-9], b"gzip")[1] == "invalid_gzip"
    assert refused(b"not gzip", b"gzip")[1] == "invalid_gzip"
    assert refused(zlib.compress(b"{}"), b"deflate")[1] == "unsupported_encoding"
    assert refused(b"", b"gzip")[1] == "invalid_json"
