"""The destinations that a sync can have. To add one: its file, its name here, its test."""

from collections.abc import Mapping

from loader.config import DestinationConfig, build, nearest
from loader.destinations.destination import Destination
from loader.destinations.webhook import Webhook
from loader.errors import ConfigError

CATALOG: Mapping[str, type[Destination]] = {kind.name: kind for kind in (Webhook,)}

__all__ = ["CATALOG", "Destination", "open_destination"]


def open_destination(config: DestinationConfig, name: str) -> Destination:
    """The destination that headwater.yml calls `name`; ConfigError says what is wrong with it."""
    where = f"destinations.{name}"
    kind = CATALOG.get(config.type)
    if kind is None:
        guess = nearest(config.type, CATALOG)
        raise ConfigError(
            f"headwater.yml: {where}.type: {config.type!r} is not a destination",
            fix=f"did you mean {guess!r}?" if guess else f"use one of {', '.join(CATALOG)}",
        )
    destination: Destination = build(kind, config.settings, where)
    return destination
