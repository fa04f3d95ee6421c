import hashlib
import hmac
from decimal import Decimal

import pytest

from loader.config import DestinationConfig
from loader.destinations import open_destination
from loader.errors import ConfigError
from loader.protocol import DELIVERED, Outcome, Response, Row, encode_json

ROW = Row(
    sync="users_to_crm",
    operation="changed",
    key={"email": "анна@example.com"},
    fields={"lifetime_value": Decimal("14500.00"), "orders": 2**63 - 1, "plan": None},
    changed=["plan"],
    message_id="m1",
)


def webhook(**settings):
    return open_destination(DestinationConfig(type="webhook", settings=settings), "crm")


def request_of(destination, row=ROW):
    return next(destination.deliver([row]))


def outcome_after(response):
    delivery = webhook(base_url="https://example.com").deliver([ROW])
    next(delivery)
    with pytest.raises(StopIteration) as end:
        delivery.send(response)
    return end.value.value


def test_a_row_is_one_json_body_with_every_digit():
    request = request_of(webhook(base_url="https://example.com/hook"))

    assert (request.method, request.url) == ("POST", "https://example.com/hook")
    assert encode_json(request.json).decode() == (
        '{"sync":"users_to_crm","operation":"changed","message_id":"m1",'
        '"key":{"email":"анна@example.com"},'
        '"fields":{"lifetime_value":14500.00,"orders":9223372036854775807,"plan":null},'
        '"changed":["plan"]}'
    )
    assert request.headers == {"Idempotency-Key": "m1"}


def test_segments_signature_is_the_hmac_sha1_of_the_body():
    request = request_of(webhook(base_url="https://example.com", secret="shh"))

    headers = request.sign(b'{"a":1}', 1_700_000_000)

    assert headers["X-Signature"] == hmac.new(b"shh", b'{"a":1}', hashlib.sha1).hexdigest()


def test_our_signature_covers_the_time_of_sending_and_the_body():
    request = request_of(webhook(base_url="https://example.com", secret="shh"))

    headers = request.sign(b'{"a":1}', 1_700_000_000)

    signed = hmac.new(b"shh", b'1700000000.{"a":1}', hashlib.sha256).hexdigest()
    assert headers["X-Headwater-Signature"] == f"t=1700000000,v1={signed}"


def test_without_a_secret_nothing_is_signed():
    assert request_of(webhook(base_url="https://example.com")).sign is None


def test_secrets_are_taken_from_the_environment(monkeypatch):
    monkeypatch.setenv("HOOK_PATH", "T1/B2")
    monkeypatch.setenv("HOOK_TOKEN", "tok\n")
    destination = webhook(
        base_url="https://example.com/${HOOK_PATH}",
        headers={"Authorization": "Bearer ${HOOK_TOKEN}"},
    )

    request = request_of(destination)

    assert request.url == "https://example.com/T1/B2"
    assert request.headers["Authorization"] == "Bearer tok"


def test_no_secret_is_shown(monkeypatch):
    monkeypatch.setenv("HOOK_SECRET", "s3cr3t")
    settings = dict.fromkeys(("base_url", "secret"), "https://h/${HOOK_SECRET}")
    destination = webhook(**settings, headers={"X-Key": "${HOOK_SECRET}"})

    shown = repr(destination) + repr(request_of(destination))

    assert "s3cr3t" not in shown
    assert set(destination.secrets()) == {"https://h/s3cr3t", "s3cr3t"}


def test_a_variable_that_is_not_set_is_named(monkeypatch):
    monkeypatch.delenv("HOOK_SECRET", raising=False)
    destination = webhook(base_url="https://example.com", secret="${HOOK_SECRET}")

    with pytest.raises(ConfigError, match=r"destinations\.crm\.secret.*HOOK_SECRET"):
        request_of(destination)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_delivered(status):
    assert outcome_after(Response(status)) == [DELIVERED]


def test_a_refusal_keeps_the_status_and_the_start_of_the_answer():
    answer = Response(422, text="email:\n  is not valid " + "x" * 500)

    [outcome] = outcome_after(answer)

    assert outcome.kind == "rejected"
    assert outcome.status == 422
    assert outcome.reason == ("email: is not valid " + "x" * 500)[:200]


def test_a_redirect_is_rejected_and_says_what_to_do():
    [outcome] = outcome_after(Response(301, headers={"Location": "https://elsewhere"}))

    assert outcome == Outcome.rejected(
        "redirects are not followed; set base_url to the final address", 301
    )


def test_an_unknown_setting_names_the_nearest():
    with pytest.raises(ConfigError, match=r"destinations\.crm\.base_ulr.*\n.*'base_url'"):
        webhook(base_ulr="https://example.com")


def test_a_missing_address_is_named():
    with pytest.raises(ConfigError, match="'base_url' is missing"):
        webhook()


def test_an_unknown_type_names_the_nearest():
    with pytest.raises(ConfigError, match=r"destinations\.crm\.type.*\n.*'webhook'"):
        open_destination(DestinationConfig(type="webhok"), "crm")
