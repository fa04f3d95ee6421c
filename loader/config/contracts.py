"""The keys under `contracts:` of headwater.yml, and what a source has of its own in their stead."""

import dataclasses
from dataclasses import dataclass
from typing import Literal

from loader.config.alerts import AlertConfig

OnViolation = Literal["block", "omit", "allow"]


@dataclass(frozen=True, kw_only=True)
class ContractsConfig:
    """What becomes of events that break their contract, or that no contract speaks of."""

    on_violation: OnViolation = "block"
    unplanned_events: Literal["allow", "block"] = "allow"
    unplanned_properties: Literal["allow", "omit"] = "allow"
    violation_events: bool = False  # each violation also becomes a `Violation Generated`
    alerts: tuple[AlertConfig, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SourceContractsConfig:
    """The same of one source; what is None there is as for all sources."""

    on_violation: OnViolation | None = None
    unplanned_events: Literal["allow", "block"] | None = None
    unplanned_properties: Literal["allow", "omit"] | None = None
    violation_events: bool | None = None

    def over(self, general: ContractsConfig) -> ContractsConfig:
        """`general` with what this source has of its own."""
        own = {key: value for key, value in vars(self).items() if value is not None}
        return dataclasses.replace(general, **own)
