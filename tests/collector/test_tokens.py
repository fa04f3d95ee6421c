"""Tokens for who holds a private key, and for nobody else."""

import json
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from loader.collector.http import Request
from loader.collector.tokens import TokenIssuer

HERE = "https://events.shop.example"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
NOW = 1_760_000_000
SECRET = b"s" * 32


def public_pem(key):
    public = key.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


OURS = rsa.generate_private_key(65537, 2048)
THEIRS = rsa.generate_private_key(65537, 2048)


class Clock:
    """The time as a test sets it."""

    now = float(NOW)

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def issuer(clock):
    clients = {"app": ("server", public_pem(OURS)), "other": ("web", public_pem(THEIRS))}
    return TokenIssuer(clients, SECRET, clock)


def claims(**changes):
    """As analytics-node makes them; a change to None leaves a claim out."""
    usual = {
        "iss": "app",
        "sub": "app",
        "aud": HERE,
        "iat": NOW - 5,
        "exp": NOW + 55,
        "jti": "j-1",
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def signed(key=OURS, algorithm="RS256", **changes):
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers={"kid": "k"})


def ask(issuer, assertion, base_url=HERE, **changes):
    fields = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
        "scope": "tracking_api:write",
        **changes,
    }
    form = urlencode({name: value for name, value in fields.items() if value is not None})
    return post(issuer, form.encode(), base_url)


def post(issuer, body, base_url=HERE):
    answer = issuer.answer(Request("POST", "/token", "", {}, body, "127.0.0.1"), base_url)
    return answer, json.loads(answer.body)


def test_who_signs_with_the_private_key_gets_a_token_for_its_source(issuer):
    answer, found = ask(issuer, signed())

    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert (found["token_type"], found["expires_in"]) == ("Bearer", 3600)
    assert issuer.source_of(found["access_token"]) == "server"


def test_a_form_as_analytics_node_writes_it_is_read(issuer):
    form = (
        f"grant_type=client_credentials&client_assertion_type={ASSERTION_TYPE}"
        f"&client_assertion={signed()}&scope=tracking_api:write"
    )

    answer, _ = post(issuer, form.encode())

    assert answer.status == 200


@pytest.mark.parametrize("audience", [HERE, f"{HERE}/", f"{HERE}/token", ["https://x", HERE]])
def test_an_assertion_may_name_us_by_any_of_our_addresses(issuer, audience):
    assert ask(issuer, signed(aud=audience))[0].status == 200


def test_a_token_is_good_for_an_hour(issuer, clock):
    token = ask(issuer, signed())[1]["access_token"]

    clock.now = NOW + 3599
    before = issuer.source_of(token)
    clock.now = NOW + 3601
    after = issuer.source_of(token)

    assert (before, after) == ("server", None)


def test_a_token_holds_for_other_workers_and_after_a_restart(issuer, clock):
    token = ask(issuer, signed())[1]["access_token"]

    again = TokenIssuer({"app": ("server", public_pem(OURS))}, SECRET, clock)
    removed = TokenIssuer({"other": ("server", public_pem(OURS))}, SECRET, clock)
    elsewhere = TokenIssuer({"app": ("server", public_pem(OURS))}, b"x" * 32, clock)

    assert again.source_of(token) == "server"
    assert removed.source_of(token) is None
    assert elsewhere.source_of(token) is None


@pytest.mark.parametrize(
    ("assertion", "why"),
    [
        (signed(THEIRS), "Signature"),
        (signed(iss="other", sub="other"), "Signature"),
        (signed(iss="nobody", sub="nobody"), "client id"),
        (signed(sub="other"), "subject"),
        (signed(aud="https://elsewhere.example"), "aud is"),
        (signed(aud=[{"a": 1}]), "aud is"),
        (signed(aud=None), "aud"),
        (signed(exp=None), "exp"),
        (signed(iat=None), "iat"),
        (signed(jti=None), "jti"),
        (signed(exp=NOW - 31), "compare the clocks"),
        (signed(iat=NOW + 31), "compare the clocks"),
        (signed(nbf=NOW + 31), "compare the clocks"),
        (signed(exp=NOW + 601), "exp: wanted at most"),
        (signed(exp=float("inf")), "exp: wanted at most"),
        (signed(exp=float("nan")), "compare the clocks"),
        (signed(exp="soon"), "wanted numbers"),
        (signed(jti=["j"]), "ID must be a string"),
        (signed(jti="j" * 201), "jti: wanted at most"),
        (signed(algorithm="RS512"), "not allowed"),
        (signed(algorithm="PS256"), "not allowed"),
        (jwt.encode(claims(), None, algorithm="none"), "not allowed"),
        (jwt.encode(claims(), SECRET, algorithm="HS256"), "not allowed"),
        ("a.b.c", "client id"),
        ("é", "client id"),
        (".".join(["W1tb" * 2500] * 3), "client id"),
    ],
)
def test_any_other_assertion_is_refused_with_401_and_why(issuer, assertion, why):
    answer, found = ask(issuer, assertion)

    assert (answer.status, found["error"]) == (401, "invalid_client")
    assert why in found["error_description"]
    assert (found["success"], found["code"]) == (False, "invalid_client")


def test_an_assertion_signed_with_the_public_key_as_a_shared_secret_is_refused(issuer):
    header = jwt.utils.base64url_encode(b'{"alg":"HS256","typ":"JWT"}')
    payload = jwt.utils.base64url_encode(json.dumps(claims()).encode())
    text = header + b"." + payload
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = algorithm.sign(text, public_pem(OURS).encode())
    forged = (text + b"." + jwt.utils.base64url_encode(signature)).decode()

    assert ask(issuer, forged)[0].status == 401
    assert issuer.source_of(forged) is None


def test_an_assertion_counts_once(issuer):
    first, _ = ask(issuer, signed())
    again, found = ask(issuer, signed())
    next_, _ = ask(issuer, signed(jti="j-2"))

    assert (first.status, again.status, next_.status) == (200, 401, 200)
    assert "used before" in found["error_description"]


def test_ids_of_two_clients_may_be_the_same(issuer):
    other = signed(THEIRS, iss="other", sub="other")

    token = ask(issuer, signed())[1]["access_token"]
    theirs = ask(issuer, other)[1]["access_token"]

    assert (issuer.source_of(token), issuer.source_of(theirs)) == ("server", "web")


def test_what_is_remembered_of_assertions_is_bounded(issuer, clock, monkeypatch):
    monkeypatch.setattr("loader.collector.tokens._MAX_REMEMBERED", 3)

    statuses = [ask(issuer, signed(jti=f"j-{i}"))[0].status for i in range(4)]
    clock.now = NOW + 100
    later = signed(jti="j-9", iat=NOW + 95, exp=NOW + 155)

    assert statuses == [200, 200, 200, 429]
    assert ask(issuer, later)[0].status == 200
    assert len(issuer._used) == 1


def test_clocks_may_differ_by_half_a_minute(issuer):
    assert ask(issuer, signed(iat=NOW + 29, exp=NOW + 89, jti="a"))[0].status == 200
    assert ask(issuer, signed(iat=NOW - 85, exp=NOW - 25, jti="b"))[0].status == 200


def test_while_nobody_knows_our_own_address_no_assertion_is_for_us(issuer):
    assert ask(issuer, signed(aud=""), base_url="")[0].status == 401


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion_type": "saml"}, "invalid_request"),
        ({"client_assertion": None}, "invalid_request"),
        ({"client_assertion": "x" * 40_000}, "invalid_request"),
        ({"scope": "everything"}, "invalid_scope"),
    ],
)
def test_a_form_that_asks_for_something_else_is_refused_with_400(issuer, changes, error):
    answer, found = ask(issuer, signed(), **changes)

    assert (answer.status, found["error"]) == (400, error)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"grant_type":"client_credentials"}',
        b"\xff\xfe",
        b"a=1&a=2",
        b"&".join([b"a=1"] * 30),
    ],
)
def test_what_is_no_form_is_refused_with_400(issuer, body):
    answer, found = post(issuer, body)

    assert (answer.status, found["error"]) == (400, "invalid_request")


def test_fields_that_nobody_knows_are_ignored(issuer):
    assert ask(issuer, signed(), resource="https://x")[0].status == 200


def test_a_client_id_in_the_form_has_to_be_that_of_the_assertion(issuer):
    assert ask(issuer, signed(), client_id="other")[0].status == 401
    assert ask(issuer, signed(), client_id="app")[0].status == 200


def ours(key=SECRET, algorithm="HS256", **changes):
    usual = {"iss": "headwater", "sub": "app", "iat": NOW, "exp": NOW + 3600}
    found = {name: value for name, value in {**usual, **changes}.items() if value is not None}
    return jwt.encode(found, key, algorithm=algorithm)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "wk_server",
        "é.é.é",
        ours(b"x" * 32),
        ours(b"x" * 64, "HS512"),
        ours(SECRET * 2, "HS512"),
        ours(OURS, "RS256"),
        ours(None, "none"),
        ours(iss="app"),
        ours(sub="nobody"),
        ours(sub=None),
        ours(exp=None),
        ours(exp="later"),
        ours(exp=NOW),
        signed(),
        ".".join(["W1tb" * 3000] * 3),
    ],
)
def test_what_is_not_a_token_of_ours_stands_for_no_source(issuer, token):
    assert issuer.source_of(ours()) == "server"
    assert issuer.source_of(token) is None
