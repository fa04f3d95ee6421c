"""What syncs, destinations and delivery say to each other: rows, requests, responses, outcomes."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

import msgspec

Operation = Literal["added", "changed"]
Signer = Callable[[bytes, int], Mapping[str, str]]

_SHOWN_CHARACTERS = 200

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def decode_json(text: str | bytes) -> Any:
    """The value of a JSON text; a number with a point is a Decimal, so that no digit is lost."""
    return _decoder.decode(text)


def encode_json(value: Any) -> bytes:
    """`value` as JSON in UTF-8; a Decimal becomes a number with the digits it has."""
    return _encoder.encode(value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One row on its way to a destination.

    `message_id` names this very change: it stays the same whenever the change is offered again,
    and differs when a row returns to values that it had before. `changed` names the fields that
    are new or differ from what the destination accepted last.
    """

    sync: str
    operation: Operation
    key: Mapping[str, Any] = field(repr=False)
    fields: Mapping[str, Any] = field(repr=False)
    changed: Sequence[str]
    message_id: str


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; its repr shows neither address nor content, since both may hold secrets.

    `sign` gives headers from the body and the time of sending (Unix seconds). It is asked anew for
    each attempt, so that a retry carries a fresh timestamp.
    """

    method: str
    url: str = field(repr=False)
    json: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    sign: Signer | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; `json` is {} when the body is not JSON."""

    status: int
    json: Any = field(default_factory=dict, repr=False)
    text: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def excerpt(self) -> str:
        """The start of the body, on one line."""
        return " ".join(self.text.split())[:_SHOWN_CHARACTERS]

    @property
    def summary(self) -> str:
        """The status and the start of the body."""
        return f"{self.status}: {self.excerpt}" if self.excerpt else str(self.status)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row: delivered, rejected with the reason, or to be offered again."""

    kind: Literal["delivered", "rejected", "retry"]
    reason: str | None = None
    status: int | None = None

    @classmethod
    def rejected(cls, reason: str, status: int | None = None) -> "Outcome":
        """The destination said no to this row."""
        return cls("rejected", reason, status)

    @classmethod
    def retry(cls, reason: str) -> "Outcome":
        """No answer that counts: the next run offers the row again."""
        return cls("retry", reason)


DELIVERED = Outcome("delivered")

# Yields requests, is sent their responses, returns one outcome a row, in the order of the rows.
Delivery = Generator[Request, Response, Sequence[Outcome]]
