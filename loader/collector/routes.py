"""Which address is handled by what."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from loader.collector.analytics_js import AnalyticsJs
from loader.collector.body import read_body
from loader.collector.client_ip import ClientIp
from loader.collector.commit import GroupCommit
from loader.collector.cors import preflight
from loader.collector.http import (
    ACCEPTED,
    CALLS,
    Answer,
    Refused,
    Request,
    json_answer,
    refusal,
)
from loader.collector.hub import Handle, Respond
from loader.collector.ingest import Ingest
from loader.collector.keys import Keys
from loader.collector.pixel import PIXEL, pixel_event
from loader.collector.sdk_settings import base_url_of, settings_answer
from loader.collector.tokens import TokenIssuer

BATCHES: Final = ("batch", "b", "import")
_SETTINGS: Final = re.compile(r"/v1/projects/([^/]{1,200})/settings")

_NOT_FOUND: Final = refusal(404, "not_found", "there is nothing at this address")


class Routes:
    """Handles whole requests: events by `ingest`, everything else at once."""

    def __init__(
        self,
        ingest: Ingest,
        *,
        keys: Keys,
        tokens: TokenIssuer,
        analytics_js: AnalyticsJs,
        client_ip: ClientIp,
        public_url: str | None,
        commit: GroupCommit,
        metrics: Callable[[], Answer],
    ) -> None:
        self.is_draining = False
        self._ingest = ingest
        self._keys = keys
        self._tokens = tokens
        self._analytics_js = analytics_js
        self._client_ip = client_ip
        self._public_url = public_url
        self._commit = commit
        posts: dict[str, Handle] = {
            f"/v1/{name}": ingest.take_call(call) for name, call in CALLS.items()
        }
        posts |= {f"/v1/{name}": ingest.take_batch for name in BATCHES}
        posts["/v1/m"] = _at_once(lambda _: ACCEPTED)  # the SDK's own metrics: nobody asks for them
        posts["/token"] = _at_once(self._issue_token)
        self._posts = posts
        self._gets: Mapping[str, Handle] = {
            "/health": _at_once(lambda _: json_answer({"status": "ok"})),
            "/ready": _at_once(lambda _: self._readiness()),
            "/metrics": _at_once(lambda _: metrics()),
        }

    def handle(self, request: Request, respond: Respond) -> None:
        """Answer the request, now or once its events are durable."""
        method = request.method
        if method == "POST" and (handle := self._posts.get(request.path)):
            handle(request, respond)
        elif method == "OPTIONS":
            respond(preflight(request))
        else:
            self._handle_any(request, respond)

    def _handle_any(self, request: Request, respond: Respond) -> None:
        path = re.sub(r"/{2,}", "/", request.path)
        if len(path) > 1:
            path = path.rstrip("/")
        posted = self._posts.get(path)
        # A proxy may hide some of these by their exact address, so they have no other.
        got = self._gets.get(request.path) or self._prefixed(path)
        if request.method == "POST" and posted:
            posted(request, respond)
        elif request.method in ("GET", "HEAD") and got:
            got(request, respond)
        elif posted or got:
            allowed = "POST, OPTIONS" if posted else "GET, HEAD, OPTIONS"
            answer = refusal(405, "method_not_allowed", f"{path}: wanted {allowed}")
            answer.headers["Allow"] = allowed
            respond(answer)
        else:
            respond(_NOT_FOUND)

    def _prefixed(self, path: str) -> Handle | None:
        """What handles GET of an address that names a key, a file or a call."""
        if found := _SETTINGS.fullmatch(path):
            key = found[1]
            return _at_once(lambda request: self._settings(request, key))
        call = path.removeprefix("/v1/pixel/")
        if call != path and call in CALLS:
            return self._take_pixel
        if path.startswith(("/analytics.js/", "/analytics-next/")):
            return _at_once(lambda request: self._script(request, path))
        return None

    def _settings(self, request: Request, key: str) -> Answer:
        if self._keys.source_of(key) is None:
            return refusal(404, "unknown_write_key", "no source has this write key")
        return settings_answer(key, self._base_url(request))

    def _script(self, request: Request, path: str) -> Answer:
        known = request.header(b"if-none-match")
        return self._analytics_js.answer(path, known) or _NOT_FOUND

    def _issue_token(self, request: Request) -> Answer:
        return self._tokens.answer(request, self._base_url(request))

    def _base_url(self, request: Request) -> str:
        is_trusted = self._client_ip.is_trusted(request.peer)
        return base_url_of(request, self._public_url, is_trusted_proxy=is_trusted)

    def _take_pixel(self, request: Request, respond: Respond) -> None:
        """An image is the answer whatever came; but for what we could not store it is an error."""

        def show(answer: Answer) -> None:
            respond(answer if answer.status in (429, 503) else PIXEL)

        if request.method == "HEAD":  # a look at the link, not at the mail
            respond(PIXEL)
            return
        try:
            found = pixel_event(request)
            if found is None:
                raise Refused(PIXEL)
            call, text, key = found
            body = read_body(text, b"")
            source = self._ingest.source_of_key(key)
            self._ingest.spool(request, show, body, source, call, is_browser=True)
        except Refused as refused:
            show(refused.answer)

    def _readiness(self) -> Answer:
        if self.is_draining:
            return refusal(503, "stopping", "the collector is stopping")
        if self._commit.problem is not None:
            return refusal(
                503, "storage_unavailable", f"the spool: {self._commit.problem.strerror}"
            )
        if self._ingest.is_full:
            return refusal(503, "spool_full", "the spool is at its limit; run `headwater load`")
        return json_answer({"status": "ready"})


def _at_once(answer: Callable[[Request], Answer]) -> Handle:
    return lambda request, respond: respond(answer(request))
