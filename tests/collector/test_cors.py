"""What browsers must be told before they send, and with every answer."""

import pytest

from loader.collector.cors import cors_headers, preflight
from loader.collector.http import Request

SHOP = "https://shop.example"


def asking(origin=SHOP, headers="authorization,content-type,x-retry-count"):
    found = {b"origin": origin.encode("latin-1"), b"access-control-request-method": b"POST"}
    if headers is not None:
        found[b"access-control-request-headers"] = headers.encode("latin-1")
    return Request("OPTIONS", "/v1/t", "", found, b"", "127.0.0.1")


def test_a_preflight_gives_leave_for_a_day_to_send_the_headers_that_were_asked_for():
    asked = "authorization, x-retry-count,x-write-key"

    answer = preflight(asking(headers=asked))

    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers == {
        "Access-Control-Allow-Origin": SHOP,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Allow-Headers": asked,
        "Access-Control-Max-Age": "86400",
        "Vary": "Origin, Access-Control-Request-Headers",
    }


def test_a_preflight_without_an_origin_gives_leave_to_all_but_not_with_credentials():
    answer = preflight(Request("OPTIONS", "/v1/t", "", {}, b"", "127.0.0.1"))

    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "asked",
    [
        None,
        "",
        ",",
        "x-a x-b",
        "x-a,\r\nSet-Cookie: a=b",
        "x-é",
        "x-" + "a" * 1024,
    ],
)
def test_what_is_no_list_of_headers_is_not_reflected(asked):
    answer = preflight(asking(headers=asked))

    assert answer.headers["Access-Control-Allow-Headers"] == (
        "authorization, content-type, x-retry-count"
    )


def test_a_list_of_headers_of_a_kilobyte_is_reflected():
    asked = ",".join(["x-" + "a" * 30] * 31)

    answer = preflight(asking(headers=asked))

    assert len(asked) == 1022
    assert answer.headers["Access-Control-Allow-Headers"] == asked


def test_every_answer_lets_its_origin_read_it_and_see_retry_after():
    assert cors_headers(SHOP) == {
        "Access-Control-Allow-Origin": SHOP,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "Retry-After",
        "Vary": "Origin",
    }


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "https://é.example",
        "https://a\r\nSet-Cookie: a=b",
        "https://a b",
        "a" * 257,
        "https://a\n",
    ],
)
def test_what_is_no_origin_is_not_echoed(origin):
    assert cors_headers(origin) == {"Vary": "Origin"}
    assert preflight(asking(origin)).headers["Access-Control-Allow-Origin"] == "*"


def test_a_page_from_a_file_whose_origin_is_null_may_send():
    assert cors_headers("null")["Access-Control-Allow-Origin"] == "null"


def test_the_headers_of_one_answer_are_not_those_of_the_next():
    cors_headers("")["X-Other"] = "1"

    assert cors_headers("") == {"Vary": "Origin"}
