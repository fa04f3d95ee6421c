"""What holds for each destination of the catalog, over a real socket."""

import asyncio
import dataclasses

import pytest

from loader.config import DestinationConfig, Secret
from loader.delivery import RetryPolicy, Sender, deliver
from loader.destinations import CATALOG, open_destination
from loader.errors import AccessDenied
from loader.protocol import Row
from tests.twin.clock import StillClock
from tests.twin.receiver import Answer, serving

# The settings that a destination can't do without, `base_url` aside.
SETTINGS = {"webhook": {}}

pytestmark = pytest.mark.parametrize("name", CATALOG)


def row(number):
    return Row(
        sync="users",
        operation="added",
        key={"email": f"user{number}@example.com"},
        fields={"plan": "pro", "имя": "Анна", "nothing": None},
        changed=["plan", "имя", "nothing"],
        message_id=f"m{number}",
    )


def outcomes_of(name, rows, script=(), always=None):
    """The outcomes, what the receiver was sent, and what stopped the sender."""
    with serving(script) as receiver:
        if always is not None:
            receiver.answer = lambda _request: always

        async def run():
            settings = {"base_url": receiver.url, **SETTINGS[name]}
            destination = open_destination(DestinationConfig(type=name, settings=settings), "d")
            policy = RetryPolicy(attempts=2)
            async with Sender("d", timeout_seconds=0.5, retry=policy, clock=StillClock()) as sender:
                found = await deliver(destination.deliver(rows), sender, len(rows))
                return found, receiver.requests, sender.stopped

        return asyncio.run(run())


def full_batch(name):
    return [row(number) for number in range(CATALOG[name].max_rows)]


def test_no_rows_send_nothing(name):
    outcomes, requests, _ = outcomes_of(name, [])

    assert (list(outcomes), requests) == ([], [])


def test_a_full_batch_is_delivered(name):
    rows = full_batch(name)

    outcomes, _, _ = outcomes_of(name, rows)

    assert [outcome.kind for outcome in outcomes] == ["delivered"] * len(rows)


def test_a_400_rejects_with_status_and_reason(name):
    outcomes, _, _ = outcomes_of(name, [row(1)], always=Answer(400, "no such field"))

    assert [(each.kind, each.status) for each in outcomes] == [("rejected", 400)]
    assert "no such field" in outcomes[0].reason


def test_a_redirect_is_not_followed(name):
    answer = Answer(301, headers={"Location": "http://127.0.0.1:9/elsewhere"})

    outcomes, _, _ = outcomes_of(name, [row(1)], always=answer)

    assert [outcome.kind for outcome in outcomes] == ["rejected"]


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_stop_the_run(name, status):
    outcomes, requests, stopped = outcomes_of(name, [row(1)], always=Answer(status))

    assert [outcome.kind for outcome in outcomes] == ["retry"]
    assert isinstance(stopped, AccessDenied)
    assert len(requests) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Answer(429),
        Answer(429, headers={"Retry-After": "5"}),
        Answer(500),
        Answer(503, "<html>maintenance"),
        Answer(drops=True),
        Answer(hangs=True),
    ],
    ids=["429", "429 with Retry-After", "500", "503 HTML", "dropped", "hanging"],
)
class TestAFault:
    def test_that_passes_is_survived(self, name, fault):
        outcomes, _, _ = outcomes_of(name, [row(1)], script=[fault])

        assert [outcome.kind for outcome in outcomes] == ["delivered"]

    def test_that_stays_leaves_the_row_for_the_next_run(self, name, fault):
        outcomes, requests, _ = outcomes_of(name, [row(1)], always=fault)

        assert [outcome.kind for outcome in outcomes] == ["retry"]
        assert len(requests) == 2

    def test_repeats_the_very_same_request(self, name, fault):
        _, requests, _ = outcomes_of(name, [row(1)], script=[fault])

        first, second = ((each.method, each.path, each.body) for each in requests[:2])
        assert first == second


def test_an_answer_that_is_not_json_is_no_crash(name):
    outcomes, _, _ = outcomes_of(name, [row(1)], always=Answer(400, b"<html>\xff"))

    assert [outcome.kind for outcome in outcomes] == ["rejected"]


def test_every_destination_takes_a_base_url_and_says_what_it_is(name):
    settings = {field.name for field in dataclasses.fields(CATALOG[name])}

    assert "base_url" in settings
    assert CATALOG[name].__doc__
    assert CATALOG[name].name == name
    assert CATALOG[name].max_rows >= 1


def test_secret_settings_do_not_show_their_values(name, monkeypatch):
    monkeypatch.setenv("TOKEN", "s3cr3t")
    settings = {"base_url": "https://x/${TOKEN}", **SETTINGS[name]}
    destination = open_destination(DestinationConfig(type=name, settings=settings), "d")

    assert "s3cr3t" not in repr(destination)
    for field in dataclasses.fields(destination):
        value = getattr(destination, field.name)
        assert not isinstance(value, Secret) or value.reveal_or_none() in destination.secrets()
