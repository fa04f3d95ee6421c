"""What happens to an event between its arrival and its row: keys of headwater.yml.

In the order in which they act: `privacy`, `enrichment`, `transformations`, `middleware`. What
these settings mean, and whether a path or a condition makes sense, `loader.transformations` says.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from loader.config.secrets import Secret


@dataclass(frozen=True, kw_only=True)
class EnrichmentConfig:
    """What is added to the context of events that do not say it themselves."""

    user_agent: bool = True
    campaign: bool = True
    bots: bool = True
    country: str | bool = False  # a MaxMind file, by its path from the workspace

    def __post_init__(self) -> None:
        if self.country is True:
            raise ValueError("country: wanted a MaxMind file's path, or off")


@dataclass(frozen=True, kw_only=True)
class TransformationConfig:
    """One change to the events that it is for; without `event` and `type`, to all of them."""

    event: str | None = None
    type: Literal["track", "identify", "page", "screen", "group", "alias"] | None = None
    if_: dict[str, Any] = field(default_factory=dict)
    drop_event: bool = False
    rename_event: str | None = None
    rename: dict[str, str] = field(default_factory=dict)
    set: dict[str, Any] = field(default_factory=dict)
    hash: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.event is not None and self.type not in (None, "track"):
            raise ValueError(f"only a track call has an `event`, and `type` is {self.type}")
        if self.rename_event is not None and self.event is None:
            raise ValueError("`rename_event` needs `event`, the name that it takes the place of")
        if self.rename_event is not None and not self.rename_event.strip():
            raise ValueError("rename_event: wanted a name")
        changes = (self.rename, self.set, self.hash, self.drop, self.allow, self.rename_event)
        if not (self.drop_event or any(changes)):
            raise ValueError("it changes nothing; add drop_event, rename_event, rename, set, …")
        if self.drop_event and any(changes):
            raise ValueError("`drop_event` leaves nothing to change; take the other keys away")


@dataclass(frozen=True, kw_only=True)
class PrivacyConfig:
    """What is never stored: events of whom, and which values as they came."""

    suppress: str | None = None  # a file, by its path from the workspace
    anonymize_ip: bool = False
    hash: tuple[str, ...] = ()
    hash_salt: Secret | None = None
