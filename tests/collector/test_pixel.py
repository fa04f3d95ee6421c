"""Events in an image's address, in each form that Segment's documentation shows."""

import base64
import json
import struct
from urllib.parse import quote, urlencode

import pytest

from loader.collector.http import Request
from loader.collector.pixel import PIXEL, pixel_event

OPENED = {
    "writeKey": "wk_mail",
    "userId": "user_123",
    "event": "Email Opened",
    "properties": {"subject": "Größe? ~~ ÿþ>>>", "n": 1},
}


def asked(query, path="/v1/pixel/track"):
    return Request("GET", path, query, {}, b"", "127.0.0.1")


def encoded(event=OPENED):
    return base64.b64encode(json.dumps(event, ensure_ascii=False).encode()).decode()


def found_in(query, path="/v1/pixel/track"):
    call, text, key = pixel_event(asked(query, path))
    return call, json.loads(text), key


@pytest.mark.parametrize(
    "form",
    [
        lambda text: quote(text, safe=""),
        lambda text: text,  # + and / as they are
        lambda text: text.translate(str.maketrans("+/", "-_")),
        lambda text: text.rstrip("="),
        lambda text: text.translate(str.maketrans("+/", "-_")).rstrip("="),
    ],
    ids=["escaped", "plain", "urlsafe", "unpadded", "urlsafe unpadded"],
)
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_an_event_in_base64_is_found_in_every_alphabet_padded_or_not(form, padding):
    event = {**OPENED, "anonymousId": "x" * padding}
    assert "+" in encoded(event) or "/" in encoded(event)

    assert found_in("data=" + form(encoded(event))) == ("track", event, "wk_mail")


def test_an_event_that_is_not_encoded_but_json_is_found():
    assert found_in("data=" + quote(json.dumps(OPENED))) == ("track", OPENED, "wk_mail")


def test_an_event_field_by_field_is_put_together_of_strings():
    query = (
        "userId=user_123&event=Email Opened&properties.subject=The+Electric%20Daily"
        "&properties.email=jane.kim@example.com&context.campaign.name=spring&properties.empty="
        "&writeKey=wk_mail"
    )

    call, event, key = found_in(query)

    assert (call, key) == ("track", "wk_mail")
    assert event == {
        "userId": "user_123",
        "event": "Email Opened",
        "properties": {
            "subject": "The Electric Daily",
            "email": "jane.kim@example.com",
            "empty": "",
        },
        "context": {"campaign": {"name": "spring"}},
        "writeKey": "wk_mail",
    }


def test_the_key_may_stand_beside_the_data():
    event = {"userId": "u", "event": "Seen"}

    assert found_in(f"data={encoded(event)}&writeKey=wk_mail") == ("track", event, "wk_mail")


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("/v1/pixel/identify", "identify"),
        ("/v1/pixel/i", "identify"),
        ("/v1/pixel/page/", "page"),
        ("//v1/pixel//screen", "screen"),
        ("/v1/pixel/g", "group"),
        ("/v1/pixel/alias", "alias"),
    ],
)
def test_the_address_names_the_call(path, call):
    assert found_in(f"data={encoded()}", path)[0] == call


def test_text_that_is_not_utf_8_does_not_lose_the_event():
    _, event, _ = found_in("userId=%ff%fe&event=\xe9&writeKey=wk_mail")

    assert event["userId"] == "\ufffd\ufffd"
    assert event["event"] == "\ufffd"


def test_a_value_and_fields_of_one_name_do_not_lose_the_event():
    _, event, _ = found_in("properties=x&properties.a=1&userId=u&userId=v&writeKey=k")

    assert event == {"properties": {"a": "1"}, "userId": "v", "writeKey": "k"}


@pytest.mark.parametrize(
    "query",
    [
        "data=",
        "data=%%%",
        "data=eyJ3",
        "data=" + base64.b64encode(b"[1]").decode(),
        "data=" + base64.b64encode(b'{"writeKey": 5}').decode(),
        "data=" + base64.b64encode(b"[" * 40_000).decode(),
        "userId=u&data=" + "A" * 65_536,
        urlencode([(f"properties.p{i}", i) for i in range(1_001)]),
        "properties" + ".x" * 11 + "=1",
    ],
    ids=[
        *("empty", "escapes", "torn", "array", "key", "deep"),
        *("large", "many fields", "nested"),
    ],
)
def test_what_is_no_event_gives_none_and_raises_nothing(query):
    assert pixel_event(asked(query)) is None


def test_an_address_that_names_no_call_gives_none():
    assert pixel_event(asked(f"data={encoded()}", "/v1/pixel/")) is None
    assert pixel_event(asked(f"data={encoded()}", "/v1/pixel/purchase")) is None


def test_the_answer_is_an_image_of_one_pixel_that_nobody_caches():
    width, height = struct.unpack_from("<HH", PIXEL.body, 6)

    assert (PIXEL.status, PIXEL.content_type) == (200, "image/gif")
    assert (PIXEL.body[:6], width, height, PIXEL.body[-1:]) == (b"GIF89a", 1, 1, b";")
    assert PIXEL.headers == {"Cache-Control": "no-store"}
