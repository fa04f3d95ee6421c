"""How many requests a source may send: a token bucket each."""

import time
from collections.abc import Callable, Mapping


class RateLimits:
    """Buckets that fill at `requests_per_second` and hold one second's worth."""

    def __init__(
        self, per_second: Mapping[str, float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._clock = clock
        now = clock()
        self._buckets = {name: (max(rate, 1.0), now) for name, rate in per_second.items()}

    def admits(self, source: str) -> bool:
        """Whether one more request of `source` is within its limit; takes it off, if so."""
        rate = self._per_second.get(source)
        if rate is None:
            return True
        now = self._clock()
        tokens, filled_at = self._buckets[source]
        tokens = min(max(rate, 1.0), tokens + (now - filled_at) * rate)
        is_within = tokens >= 1
        self._buckets[source] = (tokens - is_within, now)
        return is_within
