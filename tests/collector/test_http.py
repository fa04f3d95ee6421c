"""What a connection may send, and what comes back: limits, order, and no surprise to any client."""

import json
import socket
import time
from contextlib import suppress

import pytest

from tests.collector.child import read_all, spooled

AUTH = b"Authorization: Basic d2tfc2VydmVyOg==\r\n"


def request(body, *, path="/v1/track", headers=b"", close=True):
    head = b"POST %b HTTP/1.1\r\nHost: x\r\n%b%b" % (path.encode(), AUTH, headers)
    if close:
        head += b"Connection: close\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def event(name):
    return json.dumps({"userId": "u", "event": name}).encode()


def events_named(shared, prefix):
    bodies = [line["body"] for line in spooled(shared.workspace)]
    return [body["event"] for body in bodies if body.get("event", "").startswith(prefix)]


def statuses(answers):
    return [int(part.split(b" ")[0]) for part in answers.split(b"HTTP/1.1 ")[1:]]


def test_an_accepted_event_is_in_the_spool_when_the_answer_comes(shared):
    status, headers, body = shared.post("/v1/track", {"userId": "u", "event": "Durable"})

    assert (status, body) == (200, b'{"success":true}')
    assert headers["content-type"] == "application/json"
    assert events_named(shared, "Durable") == ["Durable"]


def test_pipelined_requests_are_all_taken_and_answered_in_their_order(shared):
    requests = [request(event(f"Pipelined {i:02}"), close=False) for i in range(40)]
    odd = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"

    answers = shared.exchange(*requests, odd, request(event("Pipelined last")))

    assert statuses(answers) == [200] * 40 + [404, 200]
    wanted = [f"Pipelined {i:02}" for i in range(40)] + ["Pipelined last"]
    assert events_named(shared, "Pipelined") == wanted


def test_a_request_may_come_byte_by_byte(shared):
    whole = request(event("Bytewise"))
    with shared.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in whole:
            connection.sendall(bytes([byte]))
        answer = read_all(connection)

    assert statuses(answer) == [200]
    assert events_named(shared, "Bytewise") == ["Bytewise"]


def test_a_chunked_body_is_put_together(shared):
    body = event("Chunked")
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(body[i : i + 7]), body[i : i + 7]) for i in range(0, len(body), 7)
    )
    head = b"POST /v1/t HTTP/1.1\r\nHost: x\r\n" + AUTH
    head += b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"

    answer = shared.exchange(head + chunks + b"0\r\n\r\n")

    assert statuses(answer) == [200]
    assert events_named(shared, "Chunked") == ["Chunked"]


def test_a_client_that_closes_its_side_after_sending_is_still_answered(shared):
    with shared.connect() as connection:
        connection.sendall(request(event("Half closed"), close=False))
        connection.shutdown(socket.SHUT_WR)
        answer = read_all(connection)

    assert statuses(answer) == [200]
    assert events_named(shared, "Half closed") == ["Half closed"]


def test_http_1_0_is_answered_and_closed(shared):
    body = event("Old client")
    head = b"POST /v1/track HTTP/1.0\r\n" + AUTH + b"Content-Length: %d\r\n\r\n" % len(body)

    answer = shared.exchange(head + body)

    assert statuses(answer) == [200]


def test_who_expects_100_continue_is_told_to_go_on(shared):
    body = event("Expected")
    with shared.connect() as connection:
        connection.sendall(request(body, headers=b"Expect: 100-continue\r\n")[: -len(body)])
        interim = connection.recv(100)
        connection.sendall(body)
        answer = read_all(connection)

    assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert statuses(answer) == [200]


def test_who_expects_100_continue_for_too_much_is_told_so_before_sending_it(shared):
    head = b"POST /v1/batch HTTP/1.1\r\nHost: x\r\n" + AUTH
    head += b"Expect: 100-continue\r\nContent-Length: 50000000\r\n\r\n"

    answer = shared.exchange(head)

    assert statuses(answer) == [413]


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_of_50_mb_is_refused_and_the_client_gets_to_see_the_answer(shared, is_chunked):
    size = 50_000_000
    length = b"Transfer-Encoding: chunked" if is_chunked else b"Content-Length: %d" % size
    with shared.connect() as connection:
        connection.sendall(b"POST /v1/batch HTTP/1.1\r\nHost: x\r\n" + AUTH + length + b"\r\n\r\n")
        if is_chunked:
            connection.sendall(b"%x\r\n" % size)
        for _ in range(50):
            connection.sendall(bytes(1_000_000))
        answer = read_all(connection)

    assert statuses(answer) == [413]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "too_large"


def test_a_body_of_4_9_mb_is_taken(shared):
    body = {
        "batch": [
            {"userId": "u", "event": "Large", "type": "track", "properties": {"x": "y" * 4_900_000}}
        ]
    }

    status, *_ = shared.post("/v1/batch", body)

    assert status == 200


def test_a_flood_of_headers_is_refused(shared):
    many = b"".join(b"X-%d: y\r\n" % i for i in range(200))
    long = b"X-Long: " + b"y" * 200_000 + b"\r\n"

    assert statuses(shared.exchange(request(b"{}", headers=many))) == [431]
    assert statuses(shared.exchange(request(b"{}", headers=long))) == [431]


def test_what_is_not_http_is_refused_and_the_connection_closed(shared):
    assert statuses(shared.exchange(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")) == [
        400
    ]
    both = (
        b"POST /v1/t HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    assert statuses(shared.exchange(both)) == [400]


@pytest.mark.parametrize("is_split", [False, True])
def test_a_request_to_upgrade_is_answered_as_plain_http(shared, is_split):
    wish = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n"
    body = event(f"Upgraded {is_split}")
    whole = request(body, headers=wish, close=False)
    parts = [whole[: -len(body)], body] if is_split else [whole]

    answers = shared.exchange(*parts, b"GET /health HTTP/1.0\r\n\r\n")

    assert statuses(answers) == [200, 200]
    assert events_named(shared, f"Upgraded {is_split}") == [f"Upgraded {is_split}"]


def test_a_proxy_it_is_not(shared):
    assert statuses(shared.exchange(b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")) == [
        400
    ]


def test_a_whole_url_is_as_good_as_its_path(shared):
    whole = request(event("Whole URL"), path="http://shop.example/v1/track")

    assert statuses(shared.exchange(whole)) == [200]
    assert events_named(shared, "Whole URL") == ["Whole URL"]


def test_too_many_requests_at_once_are_refused_and_memory_stays(shared):
    with shared.connect() as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 3_000)
        answers = read_all(connection)

    assert set(statuses(answers)) == {200, 429}
    assert statuses(answers)[-1] == 429


def test_trailers_are_passed_over_and_bounded(shared):
    body = event("Trailed")
    head = b"POST /v1/t HTTP/1.1\r\nHost: x\r\n" + AUTH + b"Connection: close\r\n"
    head += b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n" % (len(body), body)

    few = shared.exchange(head + b"Authorization: Basic eDo=\r\n\r\n")
    many = shared.exchange(head, *[b"X: " + b"a" * 60_000 + b"\r\n"] * 20)

    assert (statuses(few), statuses(many)) == ([200], [431])
    assert events_named(shared, "Trailed") == ["Trailed"]


def test_large_bodies_that_never_end_leave_small_ones_through(shared):
    head = b"POST /v1/batch HTTP/1.1\r\nHost: x\r\n" + AUTH + b"Content-Length: 5242880\r\n\r\n"
    stalled = [shared.connect() for _ in range(15)]
    for connection in stalled:
        with suppress(OSError):  # those beyond the limit are refused while they send
            connection.sendall(head + bytes(5_000_000))

    status, *_ = shared.post("/v1/track", {"userId": "u", "event": "Small"})
    for connection in stalled:
        connection.close()

    assert status == 200


def test_a_client_too_slow_with_its_headers_is_cut_off(shared):
    started = time.monotonic()
    with shared.connect() as connection:
        connection.sendall(b"POST /v1/track HTTP/1.1\r\n")
        try:
            answer = read_all(connection)
        except ConnectionResetError:
            answer = b""

    assert answer == b""
    assert 8 < time.monotonic() - started < 15


def test_head_is_answered_without_a_body(shared):
    answer = shared.exchange(b"HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert statuses(answer) == [200]
    assert answer.endswith(b"\r\n\r\n")


def test_a_wrong_method_names_the_right_ones_and_an_unknown_path_is_not_found(shared):
    status, headers, _ = shared.post("/v1/track", None, {}, "DELETE")
    assert (status, headers["allow"]) == (405, "POST, OPTIONS")
    status, headers, _ = shared.post("/health", b"")
    assert (status, headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    status, _, body = shared.get("/v2/track")
    assert (status, json.loads(body)["code"]) == (404, "not_found")


def test_a_path_may_end_in_a_slash_or_have_two(shared):
    assert shared.post("/v1/track/", {"userId": "u", "event": "Slash"})[0] == 200
    assert shared.post("//v1/track", {"userId": "u", "event": "Slash"})[0] == 200


def test_no_answer_is_ever_a_redirect_and_none_is_without_cors_for_a_browser(shared):
    origin = {"Origin": "https://shop.example"}
    for path, body in [("/v1/track", b"{"), ("/v1/track", b'{"event":"x"}'), ("/nowhere", b"{}")]:
        status, headers, _ = shared.post(path, body, origin)
        assert status in (400, 401, 404)
        assert headers["access-control-allow-origin"] == "https://shop.example"
        assert "retry-after" in headers["access-control-expose-headers"].lower()
