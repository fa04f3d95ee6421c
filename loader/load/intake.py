"""Lines become events: parsed, split out of batches, normalised, each with id and source."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, NamedTuple

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
from loader.transformations import Privacy

DEFAULT_SOURCE = "file"
_UNKNOWN_SOURCE: Final = "collector"  # of what came over HTTP and names no source of ours


@dataclass(slots=True)
class Candidate:
    """One event as it came: to be taken, unless `rejection` says why it can't be one."""

    message_id: str
    source: str
    event: Event = field(default_factory=dict)  # {} where no event stood
    rejection: Rejection | None = None
    text: bytes = b""  # its JSON, or what stood there instead; as it may be stored
    rescued: dict[str, Any] = field(default_factory=dict)
    unknown_key: str = ""  # a write key that no source has
    shared: Shared | None = None
    has_key: bool = False  # whether `text` holds a write key
    received_at: str | None = None  # of what is no event
    blocked_for: frozenset[str] | None = None  # of what is tried again: rules and places


@dataclass(frozen=True, slots=True)
class Request:
    """What holds for all events of one line; `envelope` and `id` are of a line of the spool.

    `with_ip` is `shared` for events whose address the sender's is.
    """

    shared: Shared | None = None
    with_ip: Shared | None = None
    write_key: Any = None
    envelope: Envelope | None = None
    id: str = ""
    damaged_at: str | None = None  # when a line came whose text can't be relied on


class Block(NamedTuple):
    """Texts of events in the order of arrival, and for each the request that it came with."""

    texts: list[bytes]
    requests: list[Request]
    owners: list[int]  # index of each text's request; [] if all came with the first
    places: list[str]  # what tells each text from its twins in a batch; [] if there are none

    def part(self, start: int, end: int) -> "Block":
        """The texts from `start` up to `end`."""
        some = slice(start, end)
        return Block(self.texts[some], self.requests, self.owners[some], self.places[some])


_PLAIN_LINES: Final = [Request()]


@dataclass(frozen=True)
class Sources:
    """Which source an event of a file belongs to."""

    by_key: dict[str, str]
    only: str | None  # whatever the event's write key
    reports_unknown: bool  # whether a key that no source has is to be told of
    default: str = DEFAULT_SOURCE


class Intake:
    """Turns lines into candidates; knows which write key belongs to which source.

    All texts and values of a candidate have passed `privacy`.
    """

    def __init__(self, config: Config, source: str | None, privacy: Privacy) -> None:
        self._privacy = privacy
        self._secrets = [found.write_key for found in config.sources.values() if found.write_key]
        keys = {
            name: found.write_key.reveal_or_none()
            for name, found in config.sources.items()
            if found.write_key
        }
        self.sources = Sources(
            by_key={key: name for name, key in keys.items() if key},
            only=source,
            # While a key is not in the environment, nobody can say of another that it is unknown.
            reports_unknown=bool(keys) and None not in keys.values(),
        )

    def read(self, lines: list[bytes]) -> Block:
        """The events of a file's lines, of which some may still be batches."""
        return Block(lines, _PLAIN_LINES, [], [])

    def split_batches(self, block: Block, odd: Sequence[int]) -> Block | None:
        """The events of `block`, with those of its odd lines split that are `{"batch": […]}`.

        None if there is none. An event is not split, though it have such a field.
        """
        if block.owners:  # of the spool, or split already
            return None
        found = {
            index: batch
            for index in odd
            if _may_be_batch(block.texts[index])
            and (batch := split(block.texts[index])) is not None
            and batch.message_id is None
        }
        if not found:
            return None
        split_up = Block([], [*_PLAIN_LINES], [], [])
        for index, line in enumerate(block.texts):
            batch = found.get(index)
            if batch is None:
                _append(split_up, 0, [line])
            else:
                shared = self._privacy.clean_shared(batch.shared(batch.received_at))
                _append_batch(split_up, batch, Request(shared, write_key=batch.write_key))
        return split_up

    def read_spool(self, lines: Iterable[SpoolLine]) -> Block:
        """The same of lines of the spool; one that is damaged is an event to be refused."""
        block = Block([], [], [], [])
        for line in lines:
            id_ = f"http-{line.segment}-{line.offset}"
            envelope = line.envelope
            if envelope is None:
                _append_alone(block, line.text, Request(id=id_, damaged_at=line.received_at))
                continue
            body = bytes(envelope.body)
            # The collector names the call of a single event; what has none it took for a batch.
            batch = split(body) if envelope.type is None else None
            shared = Shared(type=envelope.type) if batch is None else batch.shared()
            clean, ip = self._privacy.clean_shared, envelope.ip
            with_ip = clean(msgspec.structs.replace(shared, ip=ip)) if ip else None
            shared = clean(shared)
            if batch is None:
                _append_alone(block, body, Request(shared, with_ip, None, envelope, id_))
            else:
                request = Request(shared, with_ip, batch.write_key, envelope, id_)
                _append_batch(block, batch, request)
        return block

    def candidate(self, block: Block, index: int) -> Candidate:
        """The event at `index` of `block`, parsed and brought into one form."""
        text = block.texts[index]
        request = block.requests[block.owners[index] if block.owners else 0]
        place = block.places[index] if block.places else ""
        if request.damaged_at is not None:
            stored, at = self._privacy.clean_text(text), request.damaged_at
            return Candidate(request.id, _UNKNOWN_SOURCE, {}, _DAMAGED, stored, received_at=at)
        try:
            found, text = parse(text)
        except NOT_JSON as problem:
            return self._reject(text, why_not_json(text, problem), request, place)
        return self._candidate(found, text, request, place)

    def _candidate(self, found: Any, text: bytes, request: Request, place: str) -> Candidate:
        """`text` is the event as it came; `place` tells it from its twins in a batch."""
        if type(found) is not dict:
            kind = "an array" if isinstance(found, list) else type(found).__name__
            why = Rejection("malformed", "$", f"found {kind}; an event is a JSON object")
            return self._reject(text, why, request, place)
        stored = self._privacy.clean(found, text)
        has_key = "writeKey" in found
        key = found.pop("writeKey", None)
        found.pop("_metadata", None)
        rescued: dict[str, Any] = {}
        shared = request.shared
        if shared is not None:
            shared = _complete(found, request, shared, rescued)
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
                if message_id is False or message_id:
                    rescued["/messageId"] = message_id
                message_id = f"{request.id or _id_of(text)}{place}"
            found["messageId"] = message_id
        source, unknown_key = self._source_of(key or request.write_key, request.envelope)
        if unknown_key and request.envelope is not None:
            rejection, unknown_key = _UNKNOWN_KEY, ""
        return Candidate(
            message_id, source, found, rejection, stored, rescued, unknown_key, shared, has_key
        )

    def _source_of(self, key: object, envelope: Envelope | None) -> tuple[str, str]:
        """(source, "") or, where no source has that key, (what stands for one, the key)."""
        if envelope is not None:
            return self._source_of_request(key, envelope)
        if self.sources.only:
            return self.sources.only, ""
        if not isinstance(key, str) or not key:
            return self.sources.default, ""
        source = self.sources.by_key.get(key)
        is_unknown = source is None and self.sources.reports_unknown
        return source or self.sources.default, key if is_unknown else ""

    def _source_of_request(self, key: object, envelope: Envelope) -> tuple[str, str]:
        """The same of what came over HTTP; ConfigError while not all keys can be known."""
        if envelope.source is not None:
            return envelope.source, ""
        source = self.sources.by_key.get(key) if isinstance(key, str) else None
        if source is not None:
            return source, ""
        for secret in self._secrets:
            secret.reveal()
        return _UNKNOWN_SOURCE, f"{key!r}"

    def _reject(self, text: bytes, rejection: Rejection, request: Request, place: str) -> Candidate:
        envelope, stored = request.envelope, self._privacy.clean_text(text)
        if envelope is None:
            source = self.sources.only or self.sources.default
            return Candidate(_id_of(text), source, {}, rejection, stored)
        source, at = envelope.source or _UNKNOWN_SOURCE, envelope.received_at
        return Candidate(f"{request.id}{place}", source, {}, rejection, stored, received_at=at)


_DAMAGED: Final = Rejection(
    "malformed", "$", "this line of the spool was damaged on the disk: its checksum does not hold"
)
_UNKNOWN_KEY: Final = Rejection(
    "unknown_write_key", "$.writeKey", "no source of headwater.yml has this event's write key"
)


def _may_be_batch(line: bytes) -> bool:
    """Whether a key `batch` can stand in it, if need be in escapes."""
    return b'"batch"' in line or b"\\u" in line


def _append(block: Block, owner: int, texts: Sequence[bytes], *, is_batch: bool = False) -> None:
    block.texts.extend(texts)
    block.owners.extend([owner] * len(texts))
    block.places.extend(f"-{place}" if is_batch else "" for place in range(len(texts)))


def _append_alone(block: Block, text: bytes, request: Request) -> None:
    block.requests.append(request)
    _append(block, len(block.requests) - 1, [text])


def _append_batch(block: Block, batch: Batch, request: Request) -> None:
    block.requests.append(request)
    _append(block, len(block.requests) - 1, list(map(bytes, batch.batch)), is_batch=True)


def _complete(event: Event, request: Request, shared: Shared, rescued: dict[str, Any]) -> Shared:
    """Give `event` what its request says for all; what that was."""
    envelope, with_ip = request.envelope, request.with_ip
    if envelope is not None:
        event["receivedAt"] = envelope.received_at  # what an event says of it is hearsay
        if envelope.browser and with_ip is not None:
            shared = with_ip
    share(event, shared, rescued)
    if with_ip is not None and shared is not with_ip and comes_from_client(event):
        shared = with_ip
        share(event, shared, rescued)
    return shared


def _id_of(text: bytes) -> str:
    return f"file-{sha256(text.rstrip()).hexdigest()}"  # whatever the file's line ends
