import asyncio
import json
import socket
from decimal import Decimal

import pytest

from loader.delivery import RetryPolicy, Sender
from loader.delivery.sender import MAX_ANSWER_BYTES, OUTAGE_REQUESTS
from loader.errors import AccessDenied, ConfigError, Unavailable
from loader.protocol import Request, Response
from tests.twin.clock import StillClock
from tests.twin.receiver import Answer, serving

POLICY = RetryPolicy(attempts=3, base_seconds=1.0, random=lambda: 1.0)


def send(*requests, clock=None, **options):
    """What the sender answered or raised, a request at a time."""

    async def run():
        answers = []
        async with Sender("crm", retry=POLICY, clock=clock or StillClock(), **options) as sender:
            for request in requests:
                try:
                    answers.append(await sender.send(request))
                except (Unavailable, AccessDenied) as problem:
                    answers.append(problem)
        return answers

    return asyncio.run(run())


def test_an_answer_is_read_with_its_status_json_text_and_headers():
    with serving([Answer(207, '{"n": 1}', {"X-Left": "4"})]) as receiver:
        [response] = send(Request("POST", receiver.url, {"a": Decimal("14500.00"), "b": "é"}))

    assert (response.status, response.json, response.text) == (207, {"n": 1}, '{"n": 1}')
    assert response.headers["x-left"] == "4"
    [received] = receiver.requests
    assert received.body.decode() == '{"a":14500.00,"b":"é"}'
    assert received.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_by_itself_is_tried_again(status):
    clock = StillClock()
    with serving([Answer(status), Answer(status)]) as receiver:
        [response] = send(Request("POST", receiver.url, {}), clock=clock)

    assert response.status == 200
    assert clock.sleeps == [1.0, 2.0]


@pytest.mark.parametrize("status", [400, 404, 409, 410, 413, 422])
def test_a_refusal_is_an_answer_and_not_tried_again(status):
    with serving([Answer(status)]) as receiver:
        [response] = send(Request("POST", receiver.url, {}))

    assert response.status == status
    assert len(receiver.requests) == 1


def test_a_dropped_connection_is_tried_again():
    with serving([Answer(drops=True)]) as receiver:
        [response] = send(Request("POST", receiver.url, {}))

    assert response.status == 200
    assert len(receiver.requests) == 2


def test_silence_ends_with_the_time_out():
    with serving() as receiver:
        receiver.answer = lambda _request: Answer(hangs=True)
        [problem] = send(Request("POST", receiver.url, {}), timeout_seconds=0.05)

    assert problem.message == "destination crm: no answer within 0.05 s (3 attempts)"
    assert len(receiver.requests) == 3


def test_nobody_listening_is_unavailable():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        [problem] = send(Request("POST", f"http://127.0.0.1:{free.getsockname()[1]}/key", {}))

    assert isinstance(problem, Unavailable)
    assert "/key" not in str(problem)


def test_a_wait_that_was_asked_for_is_kept():
    clock = StillClock()
    with serving([Answer(429, headers={"Retry-After": "17"})]) as receiver:
        send(Request("POST", receiver.url, {}), clock=clock)

    assert sum(clock.sleeps) == 17


def test_a_wait_until_a_date_is_kept():
    clock = StillClock(1_700_000_000.0)
    asked = Answer(503, headers={"Retry-After": "Tue, 14 Nov 2023 22:13:50 GMT"})
    with serving([asked]) as receiver:
        send(Request("POST", receiver.url, {}), clock=clock)

    assert sum(clock.sleeps) == 30


def test_everybody_waits_when_one_was_asked_to():
    class Recorder(StillClock):
        async def sleep(self, seconds):
            await super().sleep(seconds)
            arrivals.append(len(receiver.requests))

    arrivals = []
    with serving([Answer(429, headers={"Retry-After": "9"})]) as receiver:

        async def run():
            async with Sender("crm", retry=POLICY, clock=clock) as sender:
                first = asyncio.create_task(sender.send(Request("POST", receiver.url, {})))
                while not sender._paused_until:
                    await asyncio.sleep(0)
                return await asyncio.gather(first, sender.send(Request("POST", receiver.url, {})))

        clock = Recorder()
        asyncio.run(run())

    assert clock.time >= 1_700_000_009.0
    assert arrivals[0] == 1


def test_a_wait_of_an_hour_is_left_for_the_next_run():
    with serving([Answer(429, headers={"Retry-After": "3600"})]) as receiver:
        first, second = send(*[Request("POST", receiver.url, {})] * 2)

    assert first.message == "destination crm: asked to wait 3600 s: 429"
    assert second is first
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_stop_everything_after_them(status):
    with serving([Answer(200), Answer(status, "key\n expired")]) as receiver:
        good, denied, after = send(*[Request("POST", receiver.url, {})] * 3)

    assert isinstance(good, Response)
    assert isinstance(denied, AccessDenied)
    assert f"{status}: key expired" in denied.message
    assert after is denied
    assert len(receiver.requests) == 2


def test_a_destination_that_is_down_is_not_asked_for_ever():
    with serving() as receiver:
        receiver.answer = lambda _request: Answer(500)
        answers = send(*[Request("POST", receiver.url, {})] * (OUTAGE_REQUESTS + 5))

    assert all(isinstance(answer, Unavailable) for answer in answers)
    assert len(receiver.requests) == OUTAGE_REQUESTS * POLICY.attempts


def test_a_success_in_between_is_no_outage():
    with serving() as receiver:
        receiver.answer = lambda request: Answer(200 if request.json else 500)
        bad, good = Request("POST", receiver.url, []), Request("POST", receiver.url, [1])
        answers = send(*[bad, good] * OUTAGE_REQUESTS)

    assert sum(isinstance(answer, Response) for answer in answers) == OUTAGE_REQUESTS


def test_a_redirect_is_not_followed():
    with serving() as receiver:
        receiver.script = iter([Answer(302, headers={"Location": receiver.url})])
        [response] = send(Request("POST", receiver.url, {}))

    assert response.status == 302
    assert len(receiver.requests) == 1


def test_an_endless_answer_is_cut():
    with serving([Answer(200, b"x" * (MAX_ANSWER_BYTES + 5)), Answer(200, "{}")]) as receiver:
        long, short = send(*[Request("POST", receiver.url, {})] * 2)

    assert len(long.text) == MAX_ANSWER_BYTES
    assert short.status == 200


@pytest.mark.parametrize("body", ["<html>", "", b"\xff\xfe", "[" * 100_000, '"'])
def test_an_answer_that_is_not_json_reads_as_an_empty_object(body):
    with serving([Answer(200, body)]) as receiver:
        [response] = send(Request("POST", receiver.url, {}))

    assert response.json == {}


def test_each_attempt_is_signed_with_its_own_time():
    def sign(body, sent_at):
        return {"X-Sent-At": f"{sent_at} {body.decode()}"}

    with serving([Answer(500)]) as receiver:
        send(Request("POST", receiver.url, {"a": 1}, sign=sign))

    sent = [request.headers["X-Sent-At"] for request in receiver.requests]
    assert sent == ['1700000000 {"a":1}', '1700000001 {"a":1}']


def test_a_secret_that_the_answer_repeats_is_taken_out_of_the_error():
    with serving([Answer(401, json.dumps({"bad key": "s3cr3t"}))]) as receiver:
        [denied] = send(Request("POST", receiver.url, {}), secrets=["s3cr3t", ""])

    assert "s3cr3t" not in str(denied)
    assert "***" in denied.message


@pytest.mark.parametrize("url", ["example.com/s3cr3t", "ftp://example.com/s3cr3t", "http://"])
def test_an_address_that_is_none_is_a_config_error_without_the_address(url):
    with pytest.raises(ConfigError, match=r"destinations\.crm\.base_url") as caught:
        send(Request("POST", url, {}))

    assert "s3cr3t" not in str(caught.value)


def test_a_request_shows_neither_its_address_nor_its_headers():
    request = Request("POST", "https://x/s3cr3t", {"a": "s3cr3t"}, {"Authorization": "s3cr3t"})

    assert "s3cr3t" not in repr(request)
