"""OAuth 2.0 client credentials: a signed assertion in, a bearer token for an hour out.

As analytics-node's `oauthSettings` wants it (RFC 6749 4.4 with RFC 7523): the client signs with its
private key, headwater.yml holds the public one, and no secret ever travels.
"""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from secrets import token_bytes, token_hex
from typing import Any, Final
from urllib.parse import parse_qsl

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from loader.collector.http import Answer, Request, json_answer, overloaded
from loader.durable import refused, sync
from loader.errors import ConfigError

TOKEN_SECONDS: Final = 3600
_SCOPE: Final = "tracking_api:write"
_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_FIELDS: Final = frozenset(
    {"grant_type", "client_assertion_type", "client_assertion", "client_id", "scope"}
)
_MAX_FORM_BYTES: Final = 32 * 1024
_MAX_FIELDS: Final = 100
_SKEW_SECONDS: Final = 30  # between the client's clock and ours
_MAX_LIFE_SECONDS: Final = 600  # of an assertion; SDKs make theirs a minute
_MAX_ID_LENGTH: Final = 200
_MAX_REMEMBERED: Final = 50_000
_MIN_KEY_BITS: Final = 2048
_KEY_BYTES: Final = 32
_ISSUER: Final = "headwater"
# PyJWT lets some of these out where claims are of odd types or nested too deep.
_NOT_VALID: Final = (jwt.PyJWTError, ValueError, TypeError, RecursionError)


class TokenIssuer:
    """Turns assertions of known clients into tokens, and tokens back into sources.

    `clients` maps a client id to its source and public key (PEM); ConfigError names the source
    whose key is no RSA public key. Whoever has the same `signing_key` takes the tokens.
    """

    def __init__(
        self,
        clients: Mapping[str, tuple[str, str]],
        signing_key: bytes,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = {name: _public_key(source, pem) for name, (source, pem) in clients.items()}
        self._sources = {name: source for name, (source, _) in clients.items()}
        self._signing_key = signing_key
        self._clock = clock
        self._used: dict[tuple[str, str], float] = {}  # (client, jti) -> until when it is valid

    def answer(self, request: Request, base_url: str) -> Answer:
        """The answer to POST /token; `base_url` is what an assertion has to be meant for."""
        form = _form_of(request.body)
        if form is None:
            return _error("invalid_request", "wanted a form, each field once")
        if "grant_type" not in form:
            return _error("invalid_request", "grant_type is missing")
        if form["grant_type"] != "client_credentials":
            return _error("unsupported_grant_type", "grant_type: wanted client_credentials")
        if form.get("client_assertion_type") != _ASSERTION_TYPE or not form.get("client_assertion"):
            return _error(
                "invalid_request",
                f"wanted client_assertion and client_assertion_type={_ASSERTION_TYPE}",
            )
        if form.get("scope", _SCOPE) != _SCOPE:
            return _error("invalid_scope", f"scope: wanted {_SCOPE}")
        assertion = form["client_assertion"]
        client = self._client_of(assertion)
        if client is None or form.get("client_id", client) != client:
            return _error("invalid_client", "no source of headwater.yml has this client id")
        try:
            claims = self._verify(assertion, client, base_url)
        except _NOT_VALID as problem:
            return _error("invalid_client", f"client_assertion: {problem}")
        return self._take_once(client, claims)

    def source_of(self, token: str) -> str | None:
        """The source that a token of ours stands for; None if it is not ours, or no more valid."""
        try:
            claims = jwt.decode(
                token,
                self._signing_key,
                algorithms=["HS256"],
                issuer=_ISSUER,
                options={"require": ["exp", "sub", "iss"], "verify_exp": False},
            )
            is_valid = claims["exp"] > self._clock()
        except _NOT_VALID:
            return None
        # A client that is gone from headwater.yml takes its tokens with it.
        return self._sources.get(claims["sub"]) if is_valid else None

    def _client_of(self, assertion: str) -> str | None:
        """Which known client the assertion says it is from."""
        try:
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except _NOT_VALID:
            return None
        client = claims.get("iss")
        return client if isinstance(client, str) and client in self._keys else None

    def _verify(self, assertion: str, client: str, base_url: str) -> dict[str, Any]:
        """The claims of an assertion that `client` signed for us; raises one of _NOT_VALID."""
        claims: dict[str, Any] = jwt.decode(
            assertion,
            self._keys[client],
            algorithms=["RS256"],
            issuer=client,
            subject=client,
            options={
                "require": ["iss", "sub", "aud", "exp", "iat", "jti"],
                "verify_aud": False,  # what follows is checked below, by our clock
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
        accepted = (base_url, f"{base_url}/", f"{base_url}/token") if base_url else ()
        meant_for = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if not any(audience in accepted for audience in meant_for):
            raise jwt.InvalidAudienceError(f"aud is {claims['aud']!r}; wanted {base_url!r}")
        if not all(isinstance(claims.get(name, 0), int | float) for name in ("iat", "exp", "nbf")):
            raise jwt.InvalidTokenError("iat, exp and nbf: wanted numbers")
        now = self._clock()
        if not claims["iat"] - _SKEW_SECONDS <= now < claims["exp"] + _SKEW_SECONDS:
            raise jwt.ExpiredSignatureError("expired, or issued in the future: compare the clocks")
        if now < claims.get("nbf", now) - _SKEW_SECONDS:
            raise jwt.ImmatureSignatureError("not valid yet: compare the clocks")
        if claims["exp"] > now + _MAX_LIFE_SECONDS:
            raise jwt.InvalidTokenError(f"exp: wanted at most {_MAX_LIFE_SECONDS} s from now")
        if len(claims["jti"]) > _MAX_ID_LENGTH:
            raise jwt.InvalidTokenError(f"jti: wanted at most {_MAX_ID_LENGTH} characters")
        return claims

    def _take_once(self, client: str, claims: dict[str, Any]) -> Answer:
        """A token, unless the assertion has been used before."""
        now = self._clock()
        if len(self._used) >= _MAX_REMEMBERED:
            self._used = {use: until for use, until in self._used.items() if until >= now}
        if len(self._used) >= _MAX_REMEMBERED:
            return overloaded("too many tokens asked for")
        use = (client, claims["jti"])
        if use in self._used:
            return _error("invalid_client", "client_assertion: its jti has been used before")
        self._used[use] = claims["exp"] + _SKEW_SECONDS
        ours = {"iss": _ISSUER, "sub": client, "iat": int(now), "exp": int(now) + TOKEN_SECONDS}
        token = jwt.encode(ours, self._signing_key, algorithm="HS256")
        document = {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}
        return _unstored(json_answer(document))


def load_signing_key(path: Path) -> bytes:
    """The secret that tokens are signed with, made at the first call; only its owner may read it.

    Processes that ask at the same time get the same. StorageError if the disk refuses; ConfigError
    if the file is not one of ours.
    """
    try:
        if not path.exists():
            _create_key(path)
        key = path.read_bytes()
    except OSError as problem:
        raise refused(path, problem) from problem
    if len(key) != _KEY_BYTES:
        raise ConfigError(
            f"{path}: {len(key)} bytes; wanted a key of {_KEY_BYTES}",
            fix="remove that file; clients then fetch new tokens by themselves",
        )
    return key


def _create_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was first: its key holds
            os.link(temporary, path)
        sync(path.parent)
    finally:
        temporary.unlink()


def _public_key(source: str, pem: str) -> RSAPublicKey:
    r"""The key in `pem`, which in an environment variable may have `\n` for each line break."""
    found = "not PEM"
    try:
        key = load_pem_public_key(pem.replace("\\n", "\n").encode())
    except (ValueError, UnsupportedAlgorithm):
        pass
    else:
        if isinstance(key, RSAPublicKey) and key.key_size >= _MIN_KEY_BITS:
            return key
        found = f"a {type(key).__name__} of {getattr(key, 'key_size', '?')} bits"
    raise ConfigError(
        f"headwater.yml: sources.{source}.oauth.public_key: {found};"
        f" wanted an RSA public key (PEM) of {_MIN_KEY_BITS} bits or more",
        fix="openssl rsa -in private.pem -pubout writes it",
    )


def _form_of(body: bytes) -> dict[str, str] | None:
    """Our fields of a form, others being ignored; None if it is none, or names one twice."""
    if not body or len(body) > _MAX_FORM_BYTES:
        return None
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        return None
    ours = [pair for pair in pairs if pair[0] in _FIELDS]
    form = dict(ours)
    return form if len(form) == len(ours) else None


def _error(code: str, description: str) -> Answer:
    """An error as RFC 6749 5.2 has it; also under the names that all our refusals have."""
    status = 401 if code == "invalid_client" else 400
    document = {"error": code, "error_description": description}
    named = {"success": False, "code": code, "message": description}
    return _unstored(json_answer(document | named, status=status))


def _unstored(answer: Answer) -> Answer:
    answer.headers["Cache-Control"] = "no-store"
    return answer
