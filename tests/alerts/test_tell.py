"""What alerts say, when, and what happens if nobody listens."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from loader.alerts import AlertState, Broken, Counts, News, read_state, tell
from loader.config import AlertConfig, Percent, Secret
from tests.twin.receiver import Answer, serving

NOW = datetime(2025, 3, 4, 12, tzinfo=UTC).timestamp()
HOUR = 3600
SEEN = datetime(2025, 3, 4, 11, 59, tzinfo=UTC)


def broken(event="Order Completed", rule="type", count=3, **fields):
    fields = {
        "path": "$.properties.total",
        "message": '"14500" is a string; the contract wants a number >= 0',
        "message_id": "m-1",
        **fields,
    }
    return Broken(event, rule, count, ["web"], SEEN, SEEN, **fields)


class Loads:
    """Loads, one after the other, and the alerts that follow each."""

    def __init__(self, folder, *alerts):
        self.alerts = alerts
        self.path = folder / "state" / "alerts.json"
        self.load_id = 0

    def bring(self, *groups, at=NOW, **news):
        self.load_id += 1
        state = read_state(self.path) or AlertState(load_id=0)
        found = News(self.load_id, groups, **news)
        return tell(self.alerts, self.path, state, found, workspace="shop", now=at)


def webhook(url, **settings):
    settings = {"format": "plain", **settings}
    return AlertConfig(type="webhook", url=Secret(url, "contracts.alerts[0].url"), **settings)


@pytest.fixture
def receiver():
    with serving() as receiver:
        yield receiver


def counts(receiver):
    """What each request told: event and rule with its count and what was held back of it."""
    return [
        {(v["event"], v["rule"]): (v["count"], v["held_back"]) for v in request.json["violations"]}
        for request in receiver.requests
    ]


def test_new_violations_are_one_request_with_a_count_and_an_example_each(tmp_path, receiver):
    loads = Loads(tmp_path, webhook(receiver.url))

    warnings = loads.bring(broken(count=3), broken(rule="required", count=7))

    [request] = receiver.requests
    assert warnings == []
    assert (request.method, request.json["workspace"]) == ("POST", "shop")
    assert request.json["text"] == "10 violations"
    assert request.json["violations"][1] == {
        "event": "Order Completed",
        "rule": "type",
        "count": 3,
        "held_back": 0,
        "sources": ["web"],
        "first_seen_at": "2025-03-04T11:59:00+00:00",
        "last_seen_at": "2025-03-04T11:59:00+00:00",
        "path": "$.properties.total",
        "message": '"14500" is a string; the contract wants a number >= 0',
        "message_id": "m-1",
    }


def test_a_load_without_violations_says_nothing(tmp_path, receiver):
    Loads(tmp_path, webhook(receiver.url)).bring()

    assert receiver.requests == []


def test_within_the_hour_an_event_and_rule_are_told_once_and_the_rest_is_told_later(
    tmp_path, receiver
):
    loads = Loads(tmp_path, webhook(receiver.url))

    loads.bring(broken(count=1))
    loads.bring(broken(count=10), at=NOW + 60)
    loads.bring(broken(count=100), broken(rule="enum", count=5), at=NOW + HOUR - 1)
    loads.bring(broken(count=1000), at=NOW + HOUR)
    loads.bring(at=NOW + 2 * HOUR)

    order = ("Order Completed", "type")
    assert counts(receiver) == [
        {order: (1, 0)},
        {("Order Completed", "enum"): (5, 0)},
        {order: (1110, 110)},
    ]


def test_what_was_held_back_is_told_after_the_hour_though_nothing_new_came(tmp_path, receiver):
    loads = Loads(tmp_path, webhook(receiver.url))

    loads.bring(broken(count=1))
    loads.bring(broken(count=10), at=NOW + 60)
    loads.bring(at=NOW + HOUR)

    assert counts(receiver)[1:] == [{("Order Completed", "type"): (10, 10)}]


def test_a_shorter_pace_can_be_had(tmp_path, receiver):
    loads = Loads(tmp_path, webhook(receiver.url, every=timedelta(minutes=1)))

    loads.bring(broken(count=1))
    loads.bring(broken(count=2), at=NOW + 60)

    assert len(receiver.requests) == 2


@pytest.mark.parametrize(
    "answer", [Answer(500), Answer(404), Answer(403), Answer(302), Answer(429), Answer(drops=True)]
)
def test_what_was_refused_is_a_warning_and_told_by_the_next_load(tmp_path, receiver, answer):
    receiver.script = iter([answer])
    loads = Loads(tmp_path, webhook(receiver.url))

    [warning] = loads.bring(broken(count=1))
    again = loads.bring(broken(count=2), at=NOW + 1)

    assert warning.startswith("alert not sent, the next load tries again: contracts.alerts[0].url")
    assert again == []
    assert counts(receiver)[-1] == {("Order Completed", "type"): (3, 1)}


def test_who_asks_to_wait_for_a_day_holds_nobody_up(tmp_path, receiver):
    receiver.script = iter([Answer(429, headers={"Retry-After": "86400"})])

    [warning] = Loads(tmp_path, webhook(receiver.url)).bring(broken())

    assert "asked to wait 86400 s" in warning


def test_nobody_there_is_a_warning_that_does_not_tell_the_address(tmp_path):
    url = "http://127.0.0.1:9/services/T0/SECRET"

    [warning] = Loads(tmp_path, webhook(url)).bring(broken())

    assert "SECRET" not in warning
    assert "127.0.0.1" not in warning


def test_an_address_that_is_none_or_not_in_the_environment_is_a_warning(tmp_path, receiver):
    nowhere, unset = webhook("hooks.slack.com/x"), webhook("${NO_SUCH_ALERT_URL}")
    beyond = webhook("http://127.0.0.1:99999/SECRET")
    loads = Loads(tmp_path, nowhere, webhook(receiver.url), beyond, unset)

    warnings = loads.bring(broken())

    assert len(receiver.requests) == 1
    assert ["not an http or https URL" in w for w in warnings] == [True, True, False]
    assert ["NO_SUCH_ALERT_URL is not set" in w for w in warnings] == [False, False, True]
    assert "SECRET" not in "".join(warnings)


def test_each_alert_has_a_pace_of_its_own_and_keeps_it_if_their_order_changes(tmp_path, receiver):
    receiver.script = iter([Answer(500)])
    loads = Loads(tmp_path, webhook(receiver.url))
    loads.bring(broken(count=1))
    with serving() as other:
        loads.alerts = (webhook(other.url), *loads.alerts)
        loads.bring(broken(count=2), at=NOW + 1)

        assert counts(other) == [{("Order Completed", "type"): (2, 0)}]
    assert counts(receiver)[-1] == {("Order Completed", "type"): (3, 1)}


def test_a_flood_of_names_stays_a_message_of_a_size_and_a_state_of_a_size(tmp_path, receiver):
    loads = Loads(tmp_path, webhook(receiver.url, format="slack"))

    for number in range(12):
        names = [f"{number} {n} " + "x" * 3_000 for n in range(100)]
        receiver.script = iter([Answer(500)])
        loads.bring(*(broken(name, count=1) for name in names), others=50)
    loads.bring(at=NOW + 1)

    blocks = receiver.requests[-1].json["blocks"]
    assert len(blocks) <= 50
    assert max(len(block["text"]["text"]) for block in blocks) <= 3_000
    assert f"and {12 * 150 - 20:,} events of other" in blocks[-2]["text"]["text"]
    assert sum(len(told.pending) for told in read_state(loads.path).alerts.values()) == 500


def test_slack_gets_text_and_blocks_in_which_an_event_can_mention_nobody(tmp_path, receiver):
    loads = Loads(tmp_path, webhook(receiver.url, format="slack"))

    loads.bring(broken("<!channel> & co", message_id="`m`"))

    found = receiver.requests[0].json
    assert found["text"] == "Headwater, shop: 3 violations"
    assert [block["type"] for block in found["blocks"]] == ["header", "section", "section"]
    assert "&lt;!channel&gt; &amp; co" in found["blocks"][1]["text"]["text"]
    assert "<!channel>" not in json.dumps(found)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("$.traits.email", '"ivan@example.com" is no email; send one'),
        ("$.traits.email", '"ivan@example.com' + "x" * 70 + "… is no email; send one"),
        ("$.context.traits.age", "41 is a number; the contract wants a string"),
        ("$", '{"traits":{"email":"ivan@example.com"}} is not valid under any of the schemas'),
        ("$.properties.person", '{"email": "ivan@example.com"} is not allowed there'),
    ],
)
def test_traits_and_objects_are_not_told(tmp_path, receiver, path, message):
    for form in ("plain", "slack"):
        loads = Loads(tmp_path / form, webhook(receiver.url, format=form))
        loads.bring(broken(path=path, message=message))

    for request in receiver.requests:
        assert b"ivan" not in request.body
        assert b"41" not in request.body
        assert b"the value is n" in request.body or b"the value is a number" in request.body


def test_what_an_exception_says_is_not_told(tmp_path, receiver):
    message = "enrich:add_plan: KeyError: 'ivan@example.com: none'"

    Loads(tmp_path, webhook(receiver.url)).bring(
        broken(rule="middleware_failed", path="$", message=message)
    )

    assert receiver.requests[0].json["violations"][0]["message"] == "enrich:add_plan: KeyError"


def test_a_source_of_whose_events_too_many_are_no_good_is_told_once_an_hour(tmp_path, receiver):
    alert = webhook(receiver.url, violations=False, violation_rate=Percent(0.05))
    loads = Loads(tmp_path, alert)

    loads.bring(loaded={"web": Counts(99, 99), "server": Counts(1000, 50)}, has_counts=True)
    loads.bring(broken(), loaded={"web": Counts(1, 0)}, has_counts=True, at=NOW + 60)
    loads.bring(loaded={"web": Counts(100, 100)}, has_counts=True, at=NOW + 600)
    loads.bring(loaded={"web": Counts(1000, 51)}, has_counts=True, at=NOW + 2 * HOUR)
    loads.bring(loaded={"web": Counts(1000, 49)}, has_counts=True, at=NOW + 5 * HOUR)

    told = [request.json["violation_rates"] for request in receiver.requests]
    limits = {"source": "web", "limit": 0.05, "window_seconds": 3600}
    assert told == [
        [{**limits, "events": 100, "violating": 99, "rate": 0.99}],
        [{**limits, "events": 1000, "violating": 51, "rate": 0.051}],
    ]
    assert [request.json["violations"] for request in receiver.requests] == [[], []]


def test_a_rate_that_could_not_be_told_is_told_by_the_next_load(tmp_path, receiver):
    receiver.script = iter([Answer(500)])
    loads = Loads(tmp_path, webhook(receiver.url, violation_rate=Percent(0.05)))

    loads.bring(loaded={"web": Counts(100, 50)}, has_counts=True)
    loads.bring(at=NOW + 1, has_counts=True)

    assert len(receiver.requests) == 2


def hours(events, *, source="web", first, last):
    """So many events in each hour, counted back from NOW's."""
    return {(source, int(NOW // HOUR) - ago): events for ago in range(last, first + 1)}


def test_a_source_that_sends_far_fewer_or_more_events_than_the_day_before_is_told_once_a_day(
    tmp_path, receiver
):
    loads = Loads(tmp_path, webhook(receiver.url, volume_change=Percent(0.5)))
    received = {
        **hours(100, first=48, last=25),
        **hours(40, first=24, last=1),
        **hours(100, source="steady", first=48, last=25),
        **hours(51, source="steady", first=24, last=1),
        **hours(10, source="grown", first=48, last=25),
        **hours(15, source="grown", first=24, last=1),
        **hours(1, source="tiny", first=48, last=25),
        **hours(4, source="tiny", first=24, last=1),
        **hours(100, source="new", first=30, last=1),
    }

    loads.bring(received=received, has_counts=True)
    loads.bring(at=NOW + 60, has_counts=True)

    [request] = receiver.requests
    assert request.json["volume_changes"] == [
        {"source": "grown", "events": 360, "events_before": 240, "change": 0.5, "limit": 0.5},
        {"source": "web", "events": 960, "events_before": 2400, "change": -0.6, "limit": 0.5},
    ]


def test_a_source_that_has_fallen_silent_is_told_of_by_a_load_that_brought_nothing(
    tmp_path, receiver
):
    loads = Loads(tmp_path, webhook(receiver.url, volume_change=Percent(0.5), format="slack"))
    loads.bring(received=hours(100, first=48, last=0), has_counts=True)

    loads.bring(at=NOW + 25 * HOUR, has_counts=True)

    [request] = receiver.requests
    assert "0 events in 24 hours, 100% fewer than" in request.json["blocks"][1]["text"]["text"]


def test_counts_of_days_ago_are_forgotten(tmp_path, receiver):
    loads = Loads(tmp_path, webhook(receiver.url, volume_change=Percent(0.5)))
    loads.bring(received=hours(9, first=48, last=0), loaded={"web": Counts(9, 0)}, has_counts=True)

    loads.bring(at=NOW + 100 * HOUR, has_counts=True)

    state = read_state(loads.path)
    assert (state.received, state.loaded) == ({}, {})
