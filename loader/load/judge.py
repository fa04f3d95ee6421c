"""What becomes of an event: left out, dropped, kept back, or let in, and as what."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loader.config import Config
from loader.contracts import Action, Contract, Contracts, Violation
from loader.event.envelope import Event
from loader.ledger import Suppression
from loader.load.intake import Candidate
from loader.transformations import MiddlewareFailed, Pipeline, Privacy


@dataclass(frozen=True, slots=True)
class Ruling:
    """`event` as tables get it, None if they don't; what it broke, by what is done about it."""

    event: Event | None
    violations: dict[Action, list[Violation]] = field(default_factory=dict)
    is_suppressed: bool = False


_SUPPRESSED = Ruling(None, is_suppressed=True)


class Judge:
    """A workspace's privacy, pipeline and contracts, in that order.

    Raises ConfigError where one of them makes no sense.
    """

    def __init__(
        self,
        config: Config,
        root: Path,
        contracts: Sequence[Contract],
        forgotten: Suppression | None = None,
    ) -> None:
        self.privacy = Privacy(config.privacy, root, forgotten)
        self.pipeline = Pipeline(config, root)
        self.contracts = Contracts(contracts, config)

    def rule(self, candidate: Candidate) -> Ruling:
        """What becomes of an event, which itself is not changed."""
        if self.privacy.is_suppressed(candidate.event):
            return _SUPPRESSED
        rejection = candidate.rejection
        if rejection is not None:
            found = Violation(rejection.rule, rejection.path, rejection.message)
            return Ruling(None, {"block": [found]})
        try:
            event = self.pipeline(candidate.event)
        except MiddlewareFailed as failure:
            return Ruling(None, {"block": [Violation("middleware_failed", "$", str(failure))]})
        if event is not None and self.privacy.forgotten.is_of(event):
            return _SUPPRESSED  # a transformation gave it an identifier
        verdict = self.contracts.judge(event, candidate.source) if event is not None else None
        return Ruling(verdict.event, verdict.violations) if verdict else Ruling(event)
