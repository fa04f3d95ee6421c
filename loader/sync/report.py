"""What a sync reports: counts, samples, and the exit code they amount to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from loader.errors import LoaderError
from loader.protocol import Operation

MAX_SAMPLES = 20


@dataclass(frozen=True)
class Change:
    """One row as a dry run shows it: its changed fields as (accepted last, now)."""

    operation: Operation
    key: Mapping[str, Any]
    fields: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Refusal:
    """One row that did not arrive, and why: `invalid` was never sent, `retry` is sent next time."""

    key: Mapping[str, Any]
    outcome: Literal["invalid", "rejected", "retry"]
    reason: str | None
    status: int | None = None


@dataclass
class SyncReport:
    """What one run of a sync found and did.

    added + changed = delivered + rejected + retry, but for a dry run, which sends nothing and has
    the first changes in `diff`. `newly_refused` counts the rejected and invalid rows that no
    earlier run had refused as they are now.
    """

    name: str
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    invalid: int = 0
    delivered: int = 0
    rejected: int = 0
    retry: int = 0
    newly_refused: int = 0
    seconds: float = 0.0
    refusals: list[Refusal] = field(default_factory=list)
    diff: Sequence[Change] | None = None
    error: LoaderError | None = None

    @property
    def exit_code(self) -> int:
        """0 all arrived, 1 some must be sent again, 3 some newly refused; an error has its own."""
        if self.error is not None:
            return self.error.exit_code
        if self.retry:
            return 1
        return 3 if self.newly_refused else 0
