"""When to try again: which statuses, after how long, and how often."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

_TRANSIENT = frozenset({408, 425, 429})


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff with full jitter: each pause is anywhere between 0 and its ceiling.

    A destination that asks for more than `longest_wait_seconds` is left for the next run.
    """

    attempts: int = 5
    base_seconds: float = 0.5
    ceiling_seconds: float = 30.0
    longest_wait_seconds: float = 120.0
    random: Callable[[], float] = random.random

    def pause_seconds(self, failures: int) -> float:
        """How long to wait after so many failures of one request (1 or more)."""
        ceiling = min(self.ceiling_seconds, self.base_seconds * 2.0 ** (failures - 1))
        return ceiling * self.random()


def is_transient(status: int) -> bool:
    """Whether the same request may succeed later."""
    return status in _TRANSIENT or status >= 500


def retry_after_seconds(value: str | None, now: float) -> float | None:
    """What a Retry-After header asks for, in seconds from `now`; None if it says nothing usable."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        # A date without a zone is in GMT, as HTTP dates are.
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = moment.timestamp() - now
    return max(0.0, seconds) if math.isfinite(seconds) else None
