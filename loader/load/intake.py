"""Lines become events: parsed, split out of batches, normalised, each with id and source."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

import msgspec

from loader.config import Config
from loader.event.envelope import (
    MAX_EVENT_BYTES,
    Event,
    Rejection,
    Shared,
    comes_from_client,
    normalise,
    share,
)
from loader.event.parsing import NOT_JSON, Batch, parse, split, why_not_json
from loader.spool import Envelope, SpoolLine

DEFAULT_SOURCE = "file"
_UNKNOWN_SOURCE: Final = "collector"  # of what came over HTTP and names no source of ours


@dataclass(slots=True)
class Candidate:
    """One event as it came: to be taken, unless `rejection` says why it can't be one."""

    message_id: str
    source: str
    event: Event = field(default_factory=dict)  # {} where no event stood
    rejection: Rejection | None = None
    text: bytes = b""  # its JSON, or what stood there instead
    rescued: dict[str, Any] = field(default_factory=dict)
    unknown_key: str = ""  # a write key that no source has
    shared: Shared | None = None
    has_key: bool = False  # whether `text` holds a write key
    received_at: str | None = None  # of what is no event


@dataclass(frozen=True, slots=True)
class _Request:
    """What holds for all events of one line; `envelope` and `id` are of a line of the spool.

    `with_ip` is `shared` for events whose address the sender's is.
    """

    shared: Shared | None = None
    with_ip: Shared | None = None
    write_key: Any = None
    envelope: Envelope | None = None
    id: str = ""


_PLAIN_LINE: Final = _Request()


class Intake:
    """Turns lines into candidates; knows which write key belongs to which source."""

    def __init__(self, config: Config, source: str | None) -> None:
        self._source = source
        self._secrets = [found.write_key for found in config.sources.values() if found.write_key]
        keys = {
            name: found.write_key.reveal_or_none()
            for name, found in config.sources.items()
            if found.write_key
        }
        self._source_by_key = {key: name for name, key in keys.items() if key}
        # While a key is not in the environment, nobody can say of another that it is unknown.
        self._all_keys_known = bool(keys) and None not in keys.values()

    def read(self, lines: Iterable[bytes]) -> Iterator[Candidate]:
        """The candidates of a file's lines, in order; a line is an event or `{"batch": […]}`."""
        for line in lines:
            try:
                found, text = parse(line)
            except NOT_JSON as problem:
                batch = split(line)  # perhaps one event alone is no good
                if batch is None:
                    yield self._reject(line, why_not_json(line, problem), _PLAIN_LINE)
                    continue
            else:
                batch = split(text) if type(found) is dict and "batch" in found else None
                if batch is None or batch.message_id is not None:
                    yield self._candidate(found, text, _PLAIN_LINE)
                    continue
            shared = batch.shared(batch.received_at)
            yield from self._each(batch, _Request(shared, write_key=batch.write_key))

    def read_spool(self, lines: Iterable[SpoolLine]) -> Iterator[Candidate]:
        """The same of lines of the spool; one that is damaged is a candidate to be refused."""
        for line in lines:
            id_ = f"http-{line.segment}-{line.offset}"
            envelope = line.envelope
            if envelope is None:
                yield Candidate(
                    id_, _UNKNOWN_SOURCE, {}, _DAMAGED, line.text, received_at=line.received_at
                )
                continue
            body = bytes(envelope.body)
            # The collector names the call of a single event; what has none it took for a batch.
            batch = split(body) if envelope.type is None else None
            shared = Shared(type=envelope.type) if batch is None else batch.shared()
            with_ip = msgspec.structs.replace(shared, ip=envelope.ip) if envelope.ip else None
            if batch is None:
                yield self._read_event(body, _Request(shared, with_ip, None, envelope, id_))
            else:
                request = _Request(shared, with_ip, batch.write_key, envelope, id_)
                yield from self._each(batch, request)

    def _each(self, batch: Batch, request: _Request) -> Iterator[Candidate]:
        for place, text in enumerate(batch.batch):
            yield self._read_event(bytes(text), request, f"-{place}")

    def _read_event(self, text: bytes, request: _Request, place: str = "") -> Candidate:
        try:
            found, text = parse(text)
        except NOT_JSON as problem:
            return self._reject(text, why_not_json(text, problem), request, place)
        return self._candidate(found, text, request, place)

    def _candidate(self, found: Any, text: bytes, request: _Request, place: str = "") -> Candidate:
        """`text` is the event as it came; `place` tells it from its twins in a batch."""
        if type(found) is not dict:
            kind = "an array" if isinstance(found, list) else type(found).__name__
            why = Rejection("malformed", "$", f"found {kind}; an event is a JSON object")
            return self._reject(text, why, request, place)
        has_key = "writeKey" in found
        key = found.pop("writeKey", None)
        found.pop("_metadata", None)
        shared = request.shared
        if shared is not None:
            shared = _complete(found, request, shared)
        rescued: dict[str, Any] = {}
        rejection = normalise(found, rescued)
        if len(text) > MAX_EVENT_BYTES:
            rejection = Rejection(
                "too_large", "$", f"{len(text)} bytes; an event may have {MAX_EVENT_BYTES}"
            )
        message_id = found.get("messageId")
        if not isinstance(message_id, str) or not message_id:
            if isinstance(message_id, int | float) and not isinstance(message_id, bool):
                message_id = str(message_id)
            else:
                if message_id:
                    rescued["/messageId"] = message_id
                message_id = f"{request.id or _id_of(text)}{place}"
            found["messageId"] = message_id
        source, unknown_key = self._source_of(key or request.write_key, request.envelope)
        if unknown_key and request.envelope is not None:
            rejection, unknown_key = _UNKNOWN_KEY, ""
        return Candidate(
            message_id, source, found, rejection, text, rescued, unknown_key, shared, has_key
        )

    def _source_of(self, key: object, envelope: Envelope | None) -> tuple[str, str]:
        """(source, "") or, where no source has that key, (what stands for one, the key)."""
        if envelope is not None:
            return self._source_of_request(key, envelope)
        if self._source:
            return self._source, ""
        if not isinstance(key, str) or not key:
            return DEFAULT_SOURCE, ""
        source = self._source_by_key.get(key)
        is_unknown = source is None and self._all_keys_known
        return source or DEFAULT_SOURCE, key if is_unknown else ""

    def _source_of_request(self, key: object, envelope: Envelope) -> tuple[str, str]:
        """The same of what came over HTTP; ConfigError while not all keys can be known."""
        if envelope.source is not None:
            return envelope.source, ""
        source = self._source_by_key.get(key) if isinstance(key, str) else None
        if source is not None:
            return source, ""
        for secret in self._secrets:
            secret.reveal()
        return _UNKNOWN_SOURCE, f"{key!r}"

    def _reject(
        self, text: bytes, rejection: Rejection, request: _Request, place: str = ""
    ) -> Candidate:
        envelope = request.envelope
        if envelope is None:
            return Candidate(_id_of(text), self._source or DEFAULT_SOURCE, {}, rejection, text)
        source, at = envelope.source or _UNKNOWN_SOURCE, envelope.received_at
        return Candidate(f"{request.id}{place}", source, {}, rejection, text, received_at=at)


_DAMAGED: Final = Rejection(
    "malformed", "$", "this line of the spool was damaged on the disk: its checksum does not hold"
)
_UNKNOWN_KEY: Final = Rejection(
    "unknown_write_key", "$.writeKey", "no source of headwater.yml has this event's write key"
)


def _complete(event: Event, request: _Request, shared: Shared) -> Shared:
    """Give `event` what its request says for all; what that was."""
    envelope, with_ip = request.envelope, request.with_ip
    if envelope is not None:
        event["receivedAt"] = envelope.received_at  # what an event says of it is hearsay
        if envelope.browser and with_ip is not None:
            shared = with_ip
    share(event, shared)
    if with_ip is not None and shared is not with_ip and comes_from_client(event):
        shared = with_ip
        share(event, shared)
    return shared


def _id_of(text: bytes) -> str:
    return f"file-{sha256(text.rstrip()).hexdigest()}"  # whatever the file's line ends
