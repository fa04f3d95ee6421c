"""Sends one destination's requests: keep-alive, bounded, retried, never following a redirect."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Self

import aiohttp
import msgspec

from loader.delivery.clock import Clock, SystemClock
from loader.delivery.retry import RetryPolicy, is_transient, retry_after_seconds
from loader.errors import AccessDenied, ConfigError, LoaderError, Unavailable
from loader.protocol import Request, Response, encode_json

MAX_ANSWER_BYTES = 1 << 20
# So many requests in a row without an answer that counts: the destination is down.
OUTAGE_REQUESTS = 20
_DENIED = frozenset({401, 403})


class Sender:
    """An HTTP client for one destination, used as `async with`.

    Once `stopped` is set nothing more is sent: the credentials were refused, the destination is
    down, or it asked for a longer wait than the retry policy allows.
    """

    def __init__(
        self,
        name: str,
        *,
        max_concurrency: int = 8,
        timeout_seconds: float = 30.0,
        retry: RetryPolicy | None = None,
        clock: Clock | None = None,
        secrets: Sequence[str] = (),
    ) -> None:
        self.stopped: LoaderError | None = None
        self.max_concurrency = max_concurrency
        self._name = name
        self._timeout_seconds = timeout_seconds
        self._retry = retry or RetryPolicy()
        self._clock = clock or SystemClock()
        self._secrets = sorted(filter(None, secrets), key=len, reverse=True)
        self._paused_until = 0.0
        self._failed_in_a_row = 0

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self.max_concurrency),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._timeout_seconds),
            headers={"User-Agent": "headwater"},
        )
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._session.close()

    async def send(self, request: Request) -> Response:
        """The answer to `request`, be it yes or no; what may pass by itself is tried again.

        Raises Unavailable when the attempts are used up, AccessDenied on 401 and 403, and at once
        whatever `stopped` holds.
        """
        failures = 0
        while True:
            await self._await_turn()
            response, reason = await self._attempt(request)
            if response is not None and not is_transient(response.status):
                self._failed_in_a_row = 0
                if response.status in _DENIED:
                    raise self._stop(_denied(self._name, self.redact(response.summary)))
                return response
            failures += 1
            self._heed_retry_after(response, reason)
            if failures >= self._retry.attempts:
                raise self._give_up(f"{reason} ({failures} attempts)")
            await self._clock.sleep(self._retry.pause_seconds(failures))

    def redact(self, text: str) -> str:
        """`text` without the values of the destination's secrets."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    async def _await_turn(self) -> None:
        """Return when sending is allowed: every request waits out what one was told to wait."""
        while self.stopped is None and (wait := self._paused_until - self._clock.now()) > 0:
            await self._clock.sleep(wait)
        if self.stopped is not None:
            raise self.stopped

    async def _attempt(self, request: Request) -> tuple[Response | None, str]:
        """The response if there was one, and how to describe what happened."""
        body = b"" if request.json is None else encode_json(request.json)
        headers = {"Content-Type": "application/json"} if body else {}
        headers.update(request.headers)
        if request.sign is not None:
            headers.update(request.sign(body, int(self._clock.now())))
        try:
            async with self._session.request(
                request.method, request.url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                response = self._clean(_read(answer.status, await _content(answer), answer.headers))
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
            raise ConfigError(
                f"headwater.yml: destinations.{self._name}.base_url: not an http or https URL",
                fix="write it as https://host/path",
            ) from None  # whose text is the address, which may hold a secret
        except TimeoutError:
            return None, f"no answer within {self._timeout_seconds:g} s"
        except (aiohttp.ClientError, OSError) as problem:
            return None, self.redact(f"{type(problem).__name__}: {problem}")
        return response, response.summary

    def _clean(self, response: Response) -> Response:
        """The response without our secrets, should it repeat them; before anything is cut off."""
        return dataclasses.replace(response, text=self.redact(response.text))

    def _heed_retry_after(self, response: Response | None, reason: str) -> None:
        wanted = response.headers.get("Retry-After") if response else None
        wait = retry_after_seconds(wanted, self._clock.now())
        if wait is None:
            return
        if wait > self._retry.longest_wait_seconds:
            problem = Unavailable(
                f"destination {self._name}: asked to wait {wait:.0f} s: {reason}",
                fix="nothing; the next run offers the rows again",
            )
            raise self._stop(problem)
        self._paused_until = max(self._paused_until, self._clock.now() + wait)

    def _give_up(self, reason: str) -> Unavailable:
        problem = Unavailable(
            f"destination {self._name}: {reason}", fix="nothing; the next run offers the rows again"
        )
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= OUTAGE_REQUESTS:
            self._stop(problem)
        return problem

    def _stop(self, problem: LoaderError) -> LoaderError:
        self.stopped = self.stopped or problem
        return problem


def _denied(name: str, reason: str) -> AccessDenied:
    return AccessDenied(
        f"destination {name}: the credentials were refused: {reason}",
        fix=f"renew what headwater.yml names under destinations.{name}, then run this again",
    )


async def _content(answer: aiohttp.ClientResponse) -> bytes:
    """At most MAX_ANSWER_BYTES of the body; aiohttp drops the connection if more was coming."""
    content = bytearray()
    while len(content) < MAX_ANSWER_BYTES:
        chunk = await answer.content.read(MAX_ANSWER_BYTES - len(content))
        if not chunk:
            break
        content += chunk
    return bytes(content)


def _read(status: int, content: bytes, headers: Mapping[str, str]) -> Response:
    try:
        value = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = {}
    return Response(status, value, content.decode(errors="replace"), headers)
