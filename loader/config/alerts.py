"""Who is told when events break their contracts: `contracts.alerts` of headwater.yml."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from loader.config.secrets import Secret
from loader.config.strict import Percent

_SHORTEST_WINDOW, _LONGEST_WINDOW = timedelta(minutes=5), timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class AlertConfig:
    """One address to post to after a load, and what is worth a word.

    `every` is how often one event and rule may be told of. `violation_rate` is a share of the
    events loaded within `window`, `volume_change` of those received in 24 hours, of one source;
    sources with fewer than `minimum_events` are not judged.
    """

    type: Literal["webhook"]
    url: Secret
    format: Literal["slack", "plain"] = "slack"
    every: timedelta = timedelta(hours=1)
    violations: bool = True
    violation_rate: Percent | None = None
    window: timedelta = timedelta(hours=1)
    volume_change: Percent | None = None
    minimum_events: int = 100

    def __post_init__(self) -> None:
        if not (self.violations or self.violation_rate or self.volume_change):
            raise ValueError("it tells of nothing; add violation_rate or volume_change")
        if self.every <= timedelta(0):
            raise ValueError("every: wanted more than nothing, such as 1h")
        if not _SHORTEST_WINDOW <= self.window <= _LONGEST_WINDOW:
            raise ValueError("window: wanted 5m to 1d")
        if self.minimum_events < 1:
            raise ValueError("minimum_events: wanted 1 or more")
        for name in ("violation_rate", "volume_change"):
            if getattr(self, name) == 0:
                raise ValueError(f"{name}: wanted more than 0%, or no such line")
