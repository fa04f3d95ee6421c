"""The month that the generated events fall into, and its times as text."""

import time
from functools import cache

DAY_SECONDS = 86400.0
MONTH_START = 1714521600.0  # 2024-05-01T00:00:00Z
MONTH_SECONDS = 30 * DAY_SECONDS


_MINUTES_AND_SECONDS = tuple(f"{second // 60:02d}:{second % 60:02d}" for second in range(3600))


@cache
def _hour(number: int) -> str:
    return time.strftime("%Y-%m-%dT%H", time.gmtime(number * 3600))


def iso(seconds: float) -> str:
    """A Unix time as `2024-05-01T00:00:00.000Z`, cut to the millisecond."""
    hour = int(seconds // 3600)
    second, millisecond = divmod(int((seconds - hour * 3600) * 1000), 1000)
    return f"{_hour(hour)}:{_MINUTES_AND_SECONDS[second]}.{millisecond:03d}Z"
