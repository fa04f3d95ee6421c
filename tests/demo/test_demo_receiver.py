"""The demo's receiver takes a row that is signed with its secret, and nothing else."""

import hmac
import time
import urllib.error
import urllib.request

import pytest

from loader.demo.receiver import is_signed, receiving

SECRET = "s3cret"
NOW = 1_700_000_000
BODY = b'{"key": {"id": "u1"}}'


def signatures(body: bytes = BODY, *, secret: str = SECRET, sent_at: int = NOW) -> dict[str, str]:
    key = secret.encode()
    stamped = hmac.new(key, f"{sent_at}.".encode() + body, "sha256").hexdigest()
    return {
        "X-Signature": hmac.new(key, body, "sha1").hexdigest(),
        "X-Headwater-Signature": f"t={sent_at},v1={stamped}",
    }


def test_a_body_signed_with_the_secret_is_known():
    assert is_signed(BODY, signatures(), SECRET, NOW)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param(signatures(secret="other"), id="another secret"),
        pytest.param(signatures(b"{}"), id="another body"),
        pytest.param(signatures(sent_at=NOW - 3600), id="an hour old"),
        pytest.param({**signatures(), "X-Signature": ""}, id="without the plain one"),
        pytest.param({**signatures(), "X-Headwater-Signature": ""}, id="without the stamped one"),
        pytest.param({**signatures(), "X-Headwater-Signature": "t=soon,v1=é"}, id="garbled"),
        pytest.param(
            {**signatures(), "X-Headwater-Signature": signatures()["X-Headwater-Signature"] + "0"},
            id="too long",
        ),
    ],
)
def test_any_other_signature_is_refused(headers):
    assert not is_signed(BODY, headers, SECRET, NOW)


def post(url: str, headers: dict[str, str]) -> int:
    request = urllib.request.Request(url, BODY, {"Idempotency-Key": "row-1", **headers})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code


def test_a_repeated_row_counts_once_and_an_unsigned_one_not_at_all():
    with receiving(SECRET) as receiver:
        signed = signatures(sent_at=int(time.time()))

        statuses = [post(receiver.url, headers) for headers in (signed, signed, {})]

    assert statuses == [200, 200, 400]
    assert receiver.rows == {"row-1": {"key": {"id": "u1"}}}
