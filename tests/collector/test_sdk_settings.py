"""The settings that make analytics.js send here, whatever stands between it and us."""

import json

import pytest

from loader.collector.http import Request
from loader.collector.sdk_settings import base_url_of, settings_answer


def asked(host, /, **forwarded):
    headers = {b"host": host.encode("latin-1")} if host is not None else {}
    for name, value in forwarded.items():
        headers[f"x-forwarded-{name}".encode()] = value.encode("latin-1")
    return Request("GET", "/v1/projects/k/settings", "", headers, b"", "127.0.0.1")


@pytest.mark.parametrize(
    ("base_url", "api_host", "protocol"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1:8080/v1", "http"),
        ("https://events.shop.example", "events.shop.example/v1", "https"),
        ("https://shop.example/collect", "shop.example/collect/v1", "https"),
    ],
)
def test_the_sdk_is_told_to_send_where_it_asked(base_url, api_host, protocol):
    answer = settings_answer("wk_web", base_url)

    integration = {"apiKey": "wk_web", "apiHost": api_host, "protocol": protocol}
    assert answer.status == 200
    assert json.loads(answer.body) == {
        "integrations": {"Segment.io": integration},
        "metrics": {"sampleRate": 0},
    }
    assert answer.headers["Cache-Control"] == "private, max-age=60"


def test_settings_that_would_lead_nowhere_are_refused():
    answer = settings_answer("wk_web", "")

    assert (answer.status, json.loads(answer.body)["code"]) == (400, "invalid_host")


def test_the_configured_url_wins_over_what_a_request_says():
    request = asked("other.example", host="third.example", proto="http")

    found = base_url_of(request, "https://shop.example/events/", is_trusted_proxy=True)

    assert found == "https://shop.example/events"


@pytest.mark.parametrize("host", ["shop.example", "127.0.0.1:8080", "[::1]:8080", "a_b.local:1"])
def test_without_it_the_host_that_was_asked_for_is_taken(host):
    assert base_url_of(asked(host), None, is_trusted_proxy=False) == f"http://{host}"


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "shop.example/evil",
        "user@shop.example",
        "shop.example, evil.example",
        'shop.example"',
        "shop.example:port",
        "shop.example:123456",
        "shöp.example",
        "[::1",
        "-shop.example",
        "a" * 300,
    ],
)
def test_what_is_no_host_is_not_believed(host):
    assert base_url_of(asked(host), None, is_trusted_proxy=False) == ""


def test_a_trusted_proxy_tells_what_the_client_asked_it_for():
    request = asked("10.0.0.7:8080", host="shop.example, inner.example", proto="HTTPS, http")

    assert base_url_of(request, None, is_trusted_proxy=True) == "https://shop.example"


def test_a_trusted_proxy_that_tells_the_protocol_only_keeps_the_host():
    request = asked("shop.example", proto="https")

    assert base_url_of(request, None, is_trusted_proxy=True) == "https://shop.example"


def test_anybody_else_who_says_to_be_a_proxy_is_not_believed():
    request = asked("shop.example", host="evil.example", proto="https")

    assert base_url_of(request, None, is_trusted_proxy=False) == "http://shop.example"
