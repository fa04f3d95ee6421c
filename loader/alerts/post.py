"""Sends alerts: one POST each, all at once, each within a few seconds."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from loader.config import Secret
from loader.delivery import RetryPolicy, Sender
from loader.errors import ConfigError, LoaderError
from loader.protocol import Request

_TIMEOUT_SECONDS: Final = 5.0
_NO_URL: Final = "its url is not an http or https URL"
_ONCE: Final = RetryPolicy(attempts=1)  # the next load is the second attempt


@dataclass(frozen=True)
class Post:
    """A body for an address; `where` is the address's place in headwater.yml."""

    where: str
    url: Secret
    body: Mapping[str, Any]


def post_all(posts: Sequence[Post]) -> list[str | None]:
    """For each post None once it was taken, else why it was not; neither tells the address."""

    async def gather() -> list[str | None]:
        return await asyncio.gather(*(_post(post) for post in posts))

    return asyncio.run(gather())


async def _post(post: Post) -> str | None:
    try:
        url = post.url.reveal()
    except LoaderError as problem:
        return problem.message
    parts = _parts(url)
    if parts is None:
        return _NO_URL
    sender = Sender(
        post.where,
        max_concurrency=1,
        timeout_seconds=_TIMEOUT_SECONDS,
        retry=_ONCE,
        secrets=(url, *parts),
    )
    try:
        async with sender:
            answer = await sender.send(Request("POST", url, json=post.body))
    except ConfigError:
        return _NO_URL
    except LoaderError as problem:
        return problem.message
    return None if 200 <= answer.status < 300 else sender.redact(answer.summary)


def _parts(url: str) -> Sequence[str] | None:
    """The parts of an address that an error may quote; None if it is none of HTTP."""
    try:
        found = urlsplit(url)
        if found.scheme not in ("http", "https") or not found.hostname or found.port == 0:
            return None
    except ValueError:
        return None
    return [part for part in (found.netloc, found.hostname, found.path) if len(part) > 1]
