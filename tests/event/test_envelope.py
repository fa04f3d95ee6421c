import pytest

from loader.event.envelope import Shared, comes_from_client, normalise, share

TRACK = {"type": "track", "event": "A", "userId": "u"}


def normalised(event):
    """The event in one form; it must be one that can be taken."""
    assert normalise(event, {}) is None
    return event


def refusal(event):
    return normalise(event, {})


@pytest.mark.parametrize(
    ("call", "fields"),
    [
        ("track", {"event": "Order Completed", "properties": {"total": 1}}),
        ("alias", {"previousId": "anon-1"}),
        ("group", {"groupId": "g", "traits": {"name": "Inc"}}),
        ("identify", {"traits": {"email": "a@example.com"}}),
    ],
)
@pytest.mark.parametrize("type_", [{}, {"type": None}, {"type": ""}])
def test_a_call_without_type_is_known_by_what_only_it_has(call, fields, type_):
    assert normalised({"userId": "u", **fields, **type_})["type"] == call


def test_the_case_of_a_type_does_not_matter():
    assert normalised({**TRACK, "type": "Track"})["type"] == "track"


@pytest.mark.parametrize("type_", ["purchase", 5, [], ["track"], {"track": 1}, True, 0, False])
def test_an_unknown_type_is_malformed(type_):
    rejection = refusal({**TRACK, "type": type_})

    assert (rejection.rule, rejection.path) == ("malformed", "$.type")
    assert "wanted one of track, identify" in rejection.message


def test_what_has_no_type_and_no_telltale_is_malformed():
    assert refusal({"userId": "u", "properties": {"path": "/"}}).rule == "malformed"


@pytest.mark.parametrize(
    "ids",
    [
        {},
        {"userId": None, "anonymousId": None},
        {"userId": "", "anonymousId": ""},
        {"userId": {}, "anonymousId": []},
        {"userId": True},
        {"groupId": "g", "previousId": "p"},
    ],
)
def test_without_an_identity_there_is_no_event(ids):
    assert refusal({"type": "track", "event": "A", **ids}).rule == "no_identity"


@pytest.mark.parametrize("ids", [{"userId": 0}, {"userId": None, "anonymousId": "a"}])
def test_one_identity_is_enough(ids):
    normalised({"type": "track", "event": "A", **ids})


@pytest.mark.parametrize("name", [None, "", "  ", 5, {}, ["A"]])
def test_a_track_without_a_name_is_no_event(name):
    assert refusal({**TRACK, "event": name}).rule == "no_event"


def test_numeric_ids_become_text():
    event = normalised(
        {"type": "group", "userId": 12345, "anonymousId": 1.5, "groupId": 7, "previousId": 10**30}
    )

    assert event["userId"] == "12345"
    assert event["anonymousId"] == "1.5"
    assert event["groupId"] == "7"
    assert event["previousId"] == "1" + "0" * 30


def test_an_id_that_is_neither_text_nor_number_is_rescued():
    rescued = {}

    normalise({**TRACK, "anonymousId": {"id": 1}, "groupId": True}, rescued)

    assert rescued == {"/anonymousId": {"id": 1}, "/groupId": True}


def test_an_empty_php_array_is_an_empty_object():
    rescued = {}
    event = {**TRACK, "properties": [], "context": [], "traits": None, "integrations": []}

    normalise(event, rescued)

    assert event["properties"] == event["context"] == event["traits"] == {}
    assert rescued == {}


@pytest.mark.parametrize("value", ["oops", [1], 5, True])
def test_what_stands_for_an_object_and_is_none_is_rescued(value):
    rescued = {}
    event = {**TRACK, "properties": value}

    normalise(event, rescued)

    assert event["properties"] == {}
    assert rescued == {"/properties": value}


def shared_with(event, **said):
    share(event, Shared(**said), {})
    return event


def test_what_a_request_says_holds_for_events_that_say_nothing_themselves():
    said = {
        "sent_at": "shared",
        "received_at": "shared",
        "context": {"ip": "shared", "library": {"name": "php"}},
        "integrations": {"All": False},
    }

    silent = shared_with({"event": "A", "sentAt": None}, **said)
    own = {"sentAt": "own", "context": {"ip": "own"}, "integrations": {"All": True, "X": False}}
    outspoken = shared_with(own, **said)

    assert silent["sentAt"] == silent["receivedAt"] == "shared"
    assert silent["context"] == {"ip": "shared", "library": {"name": "php"}}
    assert silent["integrations"] == {"All": False}
    assert (outspoken["sentAt"], outspoken["receivedAt"]) == ("own", "shared")
    assert outspoken["context"] == {"ip": "own", "library": {"name": "php"}}
    assert outspoken["integrations"] == {"All": True, "X": False}


@pytest.mark.parametrize("field", ["context", "integrations"])
@pytest.mark.parametrize("own", ["oops", [1], 5, "", 0, False])
def test_what_a_request_says_does_not_hide_what_stands_for_an_object(field, own):
    event, rescued = {field: own}, {}

    share(event, Shared(**{field: {"a": "shared"}}, ip="1.2.3.4"), rescued)

    assert event[field]["a"] == "shared"
    assert event["context"]["ip"] == "1.2.3.4"
    assert rescued == {f"/{field}": own}


@pytest.mark.parametrize("type_", [{}, {"type": None}, {"type": "purchase"}, {"type": 5}])
def test_the_paths_call_stands_in_for_a_type_that_is_none(type_):
    assert shared_with({"event": "A", **type_}, type="screen")["type"] == "screen"


@pytest.mark.parametrize("type_", ["page", "Page"])
def test_an_events_own_type_goes_before_the_paths(type_):
    assert normalised(shared_with({**TRACK, "type": type_}, type="track"))["type"] == "page"


@pytest.mark.parametrize("context", [{}, {"context": None}, {"context": []}, {"context": {}}])
def test_an_address_is_given_to_an_event_that_has_none(context):
    assert shared_with({**TRACK, **context}, ip="1.2.3.4")["context"] == {"ip": "1.2.3.4"}


def test_an_events_own_address_stays():
    event = shared_with({**TRACK, "context": {"ip": "own", "os": {}}}, ip="1.2.3.4")

    assert event["context"] == {"ip": "own", "os": {}}


def test_sharing_twice_is_sharing_once():
    said = {"sent_at": "s", "context": {"a": 1}, "type": "track", "ip": "1.2.3.4"}

    once = shared_with({"context": {"b": 2}}, **said)

    assert shared_with(dict(once), **said) == once


CLIENTS = ["analytics.js", "analytics-ios", "analytics-android", "analytics-kotlin"]


@pytest.mark.parametrize(
    ("context", "is_from_client"),
    [
        *(({"library": {"name": name}}, True) for name in CLIENTS),
        ({"direct": True}, True),
        ({"library": {"name": "analytics-node"}}, False),
        ({"library": {"name": ["analytics.js"]}}, False),
        ({"library": "analytics.js"}, False),
        ({"direct": "true"}, False),
        ({}, False),
        (None, False),
        ("analytics.js", False),
    ],
)
def test_an_apps_event_is_told_from_a_servers(context, is_from_client):
    assert comes_from_client({**TRACK, "context": context}) == is_from_client
