import asyncio

import pytest

from loader.delivery import Batch, RetryPolicy, Sender, deliver, deliver_all
from loader.errors import AccessDenied, ConfigError
from loader.protocol import DELIVERED, Outcome, Request
from tests.twin.clock import StillClock
from tests.twin.receiver import Answer, serving

POLICY = RetryPolicy(attempts=2)


def run_all(url, row_count, *, start=None, **options):
    """The outcomes by position, and what stopped the sender."""
    outcomes = {}

    def post_each(rows):
        response = yield Request("POST", url, {"row": rows[0]})
        return [DELIVERED if response.status == 200 else Outcome.rejected("no", response.status)]

    def finished(batch, answers):
        outcomes.update(zip(range(batch.position, row_count), answers, strict=False))

    async def run():
        async with Sender("crm", retry=POLICY, clock=StillClock(), **options) as sender:
            batches = (Batch(row, [row]) for row in range(row_count))
            await deliver_all(batches, start or post_each, sender, finished)
            return sender.stopped

    stopped = asyncio.run(run())
    return outcomes, stopped


def test_every_row_gets_the_outcome_of_its_own_request():
    with serving() as receiver:
        receiver.answer = lambda request: Answer(400 if request.json["row"] == 7 else 200)
        outcomes, stopped = run_all(receiver.url, 50)

    assert outcomes == {
        row: Outcome.rejected("no", 400) if row == 7 else DELIVERED for row in range(50)
    }
    assert stopped is None


def test_as_many_requests_are_under_way_as_allowed_and_no_more():
    full, under_way = asyncio.Event(), [0]
    peaks = []

    async def hold(_request):
        under_way[0] += 1
        peaks.append(under_way[0])
        if under_way[0] == 12:
            full.set()
        await full.wait()
        under_way[0] -= 1
        return Answer()

    with serving() as receiver:
        receiver.answer = hold
        outcomes, _ = run_all(receiver.url, 100, max_concurrency=12)

    assert len(outcomes) == 100
    assert max(peaks) == 12


def test_what_is_in_flight_when_access_is_denied_still_counts():
    with serving() as receiver:
        receiver.answer = lambda request: Answer(401 if request.json["row"] == 5 else 200)
        outcomes, stopped = run_all(receiver.url, 1000, max_concurrency=8)

    assert isinstance(stopped, AccessDenied)
    assert outcomes[5] == Outcome.retry(stopped.message)
    assert len(outcomes) < 1000
    assert sum(outcome == DELIVERED for outcome in outcomes.values()) == len(receiver.requests) - 1


def test_rows_without_an_answer_are_offered_again():
    with serving() as receiver:
        receiver.answer = lambda _request: Answer(503, "later")
        outcomes, _ = run_all(receiver.url, 3)

    assert {outcome.kind for outcome in outcomes.values()} == {"retry"}
    assert outcomes[0].reason == "destination crm: 503: later (2 attempts)"


def test_a_secret_in_an_outcome_is_taken_out():
    def start(rows):
        return [Outcome.rejected("bad token s3cr3t")]
        yield

    outcomes, _ = run_all("http://unused", 1, start=start, secrets=["s3cr3t"])

    assert outcomes[0].reason == "bad token ***"


def test_a_missing_secret_ends_the_run_as_itself():
    def start(rows):
        raise ConfigError("the environment variable TOKEN is not set")
        yield

    with pytest.raises(ConfigError, match="TOKEN"):
        run_all("http://unused", 3, start=start)


def test_a_destination_that_loses_a_row_is_found_out():
    def start(rows):
        return []
        yield

    with pytest.raises(RuntimeError, match="0 outcomes for 1 rows"):
        run_all("http://unused", 1, start=start)


def test_a_delivery_of_several_requests_gets_each_answer():
    def find_then_write(url):
        found = yield Request("GET", url)
        written = yield Request("POST", url, found.json)
        return [Outcome.rejected(str(written.status))]

    async def run(url):
        async with Sender("crm", clock=StillClock()) as sender:
            return await deliver(find_then_write(url), sender, 1)

    with serving([Answer(200, '{"id": 4}'), Answer(409)]) as receiver:
        outcomes = asyncio.run(run(receiver.url))

    assert outcomes == [Outcome.rejected("409")]
    assert [(seen.method, seen.body) for seen in receiver.requests] == [
        ("GET", b""),
        ("POST", b'{"id":4}'),
    ]
