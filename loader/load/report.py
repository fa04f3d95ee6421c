"""What came of a load, in numbers."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class LoadReport:
    """What became of the events.

    `events_in = accepted + blocked + duplicates + suppressed + dropped`; a torn line counts as one
    blocked event. `blocked` counts what is newly kept back, so a repeat is among `duplicates`.
    `violation_events` (`Violation Generated`) came of the load itself and are in none of these.
    """

    load_id: int | None = None
    lines: int = 0
    events_in: int = 0
    accepted: int = 0
    blocked: int = 0
    duplicates: int = 0
    suppressed: int = 0
    dropped: int = 0
    violation_events: int = 0
    tables: dict[str, int] = field(default_factory=dict)
    already_loaded: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    example: str = ""
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)
