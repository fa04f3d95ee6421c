"""A clock whose time passes only when somebody sleeps."""

import asyncio


class StillClock:
    """Sleeps at once and remembers for how long."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.time = now
        self.sleeps: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)
