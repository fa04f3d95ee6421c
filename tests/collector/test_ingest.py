"""Whose events are taken, and with what they are spooled."""

import base64
import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.collector.child import BASIC, collecting, configure, spooled, wait_until


def lines_of(shared, name):
    """The spooled lines whose body is, or begins with, an event of this name."""
    found = []
    for line in spooled(shared.workspace):
        body = line["body"]
        first = body["batch"][0] if body.get("batch") else body
        if isinstance(first, dict) and first.get("event") == name:
            found.append(line)
    return found


def basic(user):
    return {"Authorization": "Basic " + base64.b64encode(user.encode()).decode()}


def event(name, **fields):
    return {"type": "track", "userId": "u", "event": name, **fields}


@pytest.mark.parametrize(
    ("name", "headers", "key", "event_key", "source"),
    [
        ("Basic", basic("wk_server:"), None, None, "server"),
        ("Basic without colon", basic("wk_server"), None, None, "server"),
        ("Basic before body", basic("wk_server:"), "wk_web", "wk_web", "server"),
        ("Empty Basic", basic(":"), "wk_web", None, "web"),
        ("Body", {}, "wk_web", "wk_server", "web"),
        ("Event", {}, None, "wk_server", "server"),
        ("Key as bearer", {"Authorization": "Bearer wk_web"}, None, None, "web"),
        ("Body before bearer", {"Authorization": "Bearer wk_web"}, "wk_server", None, "server"),
        ("Other scheme", {"Authorization": "Digest x"}, "wk_web", None, "web"),
    ],
)
def test_the_key_is_that_of_basic_then_body_then_event_then_bearer(
    shared, name, headers, key, event_key, source
):
    batch = {"batch": [event(name, **({"writeKey": event_key} if event_key else {}))]}

    status, *_ = shared.post("/v1/batch", batch | ({"writeKey": key} if key else {}), headers)

    assert status == 200
    assert [line["source"] for line in lines_of(shared, name)] == [source]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, event("Refused")),
        (basic("nobody:"), event("Refused", writeKey="wk_web")),
        ({}, event("Refused", writeKey="nobody")),
        ({}, event("Refused", writeKey=7)),
        ({}, {"batch": [event("Refused", writeKey="nobody")]}),
        ({"Authorization": "Bearer nobody"}, event("Refused", writeKey="wk_web")),
        (basic("WK_WEB:"), event("Refused")),
    ],
)
def test_without_a_known_key_nothing_is_taken(shared, headers, body):
    status, _, answer = shared.post("/v1/batch" if "batch" in body else "/v1/track", body, headers)

    assert status == 401
    assert json.loads(answer)["code"] in ("missing_write_key", "invalid_write_key", "invalid_token")
    assert lines_of(shared, "Refused") == []


def test_events_with_keys_of_their_own_are_left_to_the_load_to_tell_apart(shared):
    batch = [event("Mixed", writeKey=key) for key in ("wk_web", "wk_server", "nobody")]

    status, *_ = shared.post("/v1/batch", {"batch": batch}, {})

    assert status == 200
    assert [line["source"] for line in lines_of(shared, "Mixed")] == [None]


@pytest.mark.parametrize(
    "path", ["track", "t", "identify", "i", "page", "p", "screen", "s", "group", "g", "alias", "a"]
)
def test_a_path_says_which_call_a_single_event_is(shared, path):
    name = f"Path {path}"

    status, *_ = shared.post(f"/v1/{path}", {"userId": "u", "event": name})

    calls = ("track", "identify", "page", "screen", "group", "alias")
    wanted = next(call for call in calls if call.startswith(path))
    assert status == 200
    assert [line["type"] for line in lines_of(shared, name)] == [wanted]


@pytest.mark.parametrize("path", ["batch", "b", "import"])
def test_a_batch_is_taken_as_it_came_and_needs_to_be_one(shared, path):
    body = {"batch": [event(f"Batch {path}"), 3, None], "sentAt": "2026-01-01T00:00:00Z"}

    status, *_ = shared.post(f"/v1/{path}", body)
    refused, _, answer = shared.post(f"/v1/{path}", event("No batch"))

    assert status == 200
    assert [line["body"] for line in lines_of(shared, f"Batch {path}")] == [body]
    assert refused == 400
    assert "batch" in json.loads(answer)["message"]


def test_an_empty_batch_is_fine_and_leaves_nothing(shared):
    before = len(spooled(shared.workspace))

    assert shared.post("/v1/batch", {"batch": []})[0] == 200
    assert len(spooled(shared.workspace)) == before


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", "", "é"]
)
def test_whatever_the_content_type_the_body_is_json(shared, content_type):
    headers = BASIC | {"Content-Type": content_type.encode("latin-1").decode("latin-1")}

    assert shared.post("/v1/track", event("Any type"), headers)[0] == 200


def test_a_gzipped_body_is_spooled_as_text(shared):
    body = gzip.compress(json.dumps(event("Zipped", properties={"é": "ü"})).encode())

    status, *_ = shared.post("/v1/track", body, BASIC | {"Content-Encoding": "gzip"})

    (line,) = lines_of(shared, "Zipped")
    assert status == 200
    assert line["body"]["properties"] == {"é": "ü"}


def test_a_line_says_when_the_request_came_from_where_and_whether_from_a_browser(shared):
    began = datetime.now(UTC)
    shared.post("/v1/track", event("From a server"))
    shared.post("/v1/track", event("From a page"), BASIC | {"Origin": "https://shop.example"})

    (server,), (page,) = lines_of(shared, "From a server"), lines_of(shared, "From a page")
    received = datetime.fromisoformat(server["receivedAt"])
    assert began - timedelta(seconds=1) <= received <= datetime.now(UTC) + timedelta(seconds=1)
    assert (server["ip"], server.get("browser")) == ("127.0.0.1", None)
    assert (page["ip"], page.get("browser")) == ("127.0.0.1", True)


def test_a_forwarded_address_of_who_is_not_trusted_is_not_believed(shared):
    shared.post("/v1/track", event("Forwarded"), BASIC | {"X-Forwarded-For": "6.6.6.6"})

    assert [line["ip"] for line in lines_of(shared, "Forwarded")] == ["127.0.0.1"]


def test_a_source_over_its_limit_is_told_to_wait_and_the_others_go_on(workspace):
    configure(
        workspace,
        sources={
            "web": {"write_key": "wk_web"},
            "server": {"write_key": "wk_server", "requests_per_second": 5},
        },
    )
    with collecting(workspace) as collector:
        answers = [collector.post("/v1/track", event("Limited")) for _ in range(30)]
        others = [collector.post("/v1/track", event("Free"), basic("wk_web")) for _ in range(30)]
    refused = [headers for status, headers, _ in answers if status == 429]

    assert {status for status, *_ in answers} == {200, 429}
    assert {headers["retry-after"] for headers in refused} <= {"1", "2"}
    assert {status for status, *_ in others} == {200}
    accepted = len(answers) - len(refused)
    named = [line["body"]["event"] for line in spooled(workspace)]
    assert named.count("Limited") == accepted


def test_a_limit_is_not_passed_by_events_that_name_their_own_keys(workspace):
    configure(workspace, sources={"web": {"write_key": "wk_web", "requests_per_second": 2}})
    mixed = {"batch": [event("Mixed", writeKey="wk_web"), event("Keyless")]}
    with collecting(workspace) as collector:
        statuses = [collector.post("/v1/batch", mixed, {})[0] for _ in range(20)]

    assert statuses[:2] == [200, 200]
    assert 429 in statuses


def test_a_spool_at_its_limit_pushes_back_until_there_is_room(workspace):
    configure(workspace, collector={"spool_megabytes": 1, "segment_megabytes": 1})
    large = event("Large", properties={"text": "x" * 300_000})
    with collecting(workspace) as collector:
        wait_until(lambda: collector.post("/v1/track", large)[0] == 429, "429 from a full spool")
        ready, *_ = collector.get("/ready")
        health, *_ = collector.get("/health")
        for path in workspace.spool.glob("*/*.sealed"):
            path.unlink()
        wait_until(lambda: collector.post("/v1/track", large)[0] == 200, "200 once there is room")

    assert (ready, health) == (503, 200)
