"""Semantic events: names and properties that tools know, ready to be taken as contracts.

Names and types are those of Segment's public specs (ecommerce, B2B SaaS, mobile, video, email, live
chat, A/B testing), so that destinations understand the events. The specs require nothing; what is
required here is our proposal.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from loader.config import nearest
from loader.errors import ConfigError
from loader.event.naming import table_name

_FILE: Final = "semantic_events.json"


@dataclass(frozen=True, slots=True)
class SemanticEvent:
    """One event of the library; `aliases` are names that it had before."""

    name: str
    category: str
    description: str
    aliases: tuple[str, ...]
    rules: dict[str, Any]

    @property
    def document(self) -> dict[str, Any]:
        """Its contract, as it is written to schemas/."""
        return {"name": self.name, "description": self.description, "rules": self.rules}


@lru_cache(maxsize=1)
def semantic_events() -> dict[str, SemanticEvent]:
    """The whole library, by name."""
    found = json.loads(files(__package__).joinpath(_FILE).read_bytes())
    return {
        name: SemanticEvent(
            name,
            event["category"],
            event["description"],
            tuple(event.get("aliases", ())),
            event["rules"],
        )
        for name, event in found.items()
    }


def find_semantic_event(name: str) -> SemanticEvent:
    """The event called `name`, now or formerly, however written; ConfigError names the nearest."""
    by_table = {
        table_name(known): event
        for event in semantic_events().values()
        for known in (*event.aliases, event.name)
    }
    found = by_table.get(table_name(name))
    if found is None:
        guess = nearest(table_name(name), by_table)
        hint = f"did you mean {by_table[guess].name!r}? " if guess else ""
        raise ConfigError(
            f"{name!r}: no such event in the library",
            fix=f"{hint}`headwater contracts add --list` shows all",
        )
    return found


def events_of_category(category: str) -> list[SemanticEvent]:
    """The events of one category; ConfigError names the nearest one, if there is no such."""
    categories = {event.category for event in semantic_events().values()}
    if category not in categories:
        guess = nearest(category, categories)
        hint = f"did you mean {guess!r}? " if guess else ""
        raise ConfigError(
            f"--category {category}: no such category in the library",
            fix=f"{hint}There are {', '.join(sorted(categories))}",
        )
    return [event for event in semantic_events().values() if event.category == category]
