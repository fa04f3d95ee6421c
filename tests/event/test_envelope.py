import pytest

from loader.event.envelope import is_batch, normalise, split_batch

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


def test_a_batch_says_once_what_holds_for_all():
    batch = {
        "batch": [{"event": "A"}, {"event": "B", "sentAt": "own", "context": {"ip": "own"}}],
        "sentAt": "shared",
        "writeKey": "key",
        "context": {"ip": "shared", "library": {"name": "php"}},
    }

    first, second = split_batch(batch)

    assert first["sentAt"] == "shared"
    assert first["writeKey"] == second["writeKey"] == "key"
    assert first["context"] == {"ip": "shared", "library": {"name": "php"}}
    assert second["sentAt"] == "own"
    assert second["context"] == {"ip": "own", "library": {"name": "php"}}


@pytest.mark.parametrize("context", ["oops", [1], 5])
def test_a_batchs_context_does_not_hide_what_an_event_has_for_one(context):
    (event,) = split_batch({"batch": [{"context": context}], "context": {"ip": "shared"}})

    assert event["context"] == context


def test_what_is_no_event_in_a_batch_is_passed_on():
    assert list(split_batch({"batch": [1, None, "x"], "context": {}})) == [1, None, "x"]


def test_a_batch_is_told_from_an_event_that_has_a_batch():
    assert is_batch({"batch": []})
    assert not is_batch({"batch": "x"})
    assert not is_batch({**TRACK, "batch": [], "messageId": "m"})
