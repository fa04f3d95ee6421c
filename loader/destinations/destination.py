"""What every destination is: settings, limits and one generator without I/O."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from loader.config import Secret
from loader.protocol import DELIVERED, Delivery, Outcome, Response, Row


@dataclass(frozen=True, kw_only=True)
class Destination(ABC):
    """The base of all; the fields of a subclass are its settings in headwater.yml."""

    name: ClassVar[str]
    max_rows: ClassVar[int]  # in one `deliver`
    max_concurrency: ClassVar[int] = 8  # requests at a time
    timeout_seconds: ClassVar[float] = 30.0

    @abstractmethod
    def deliver(self, rows: Sequence[Row]) -> Delivery:
        """Bring at most `max_rows` rows: yield requests, be sent answers, return outcomes."""

    def secrets(self) -> list[str]:
        """The values of all secret settings that can be told now, for taking them out of texts."""
        settings = (getattr(self, item.name) for item in dataclasses.fields(self))
        return [value for secret in _secrets_in(settings) if (value := secret.reveal_or_none())]


def outcome_of(response: Response) -> Outcome:
    """The outcome where one answer stands for one row."""
    if 200 <= response.status < 300:
        return DELIVERED
    if 300 <= response.status < 400:
        reason = "redirects are not followed; set base_url to the final address"
    else:
        reason = response.excerpt or "no reason given"
    return Outcome.rejected(reason, response.status)


def _secrets_in(values: Any) -> Iterator[Secret]:
    for value in values:
        if isinstance(value, Secret):
            yield value
        elif isinstance(value, Mapping):
            yield from _secrets_in(value.values())
