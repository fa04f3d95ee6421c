"""Events held against contracts with nothing loaded: what a load would say of them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from loader.config import Config
from loader.contracts import Action, Contract, Violation
from loader.event.envelope import Event
from loader.event.naming import CALL_TABLES, table_name
from loader.load.intake import Candidate, Intake
from loader.load.judge import Judge
from loader.load.reader import STDIN, check_inputs, read_lines

_ARRAY_PLACE: Final = re.compile(r"\[\d+\]")


@dataclass
class BrokenRule:
    """One rule that events of one name broke, at one place; the first of them as a sample."""

    action: Action
    rule: str
    path: str  # `$.properties.products[*].price`: whichever item it was
    message: str
    message_id: str
    file: str
    line: int
    events: int = 0


@dataclass
class Tried:
    """What came of the events of one name."""

    event: str | None  # None: what is no event at all
    type: str | None
    table: str | None
    has_contract: bool
    events: int = 0
    blocked: int = 0
    flawed: int = 0  # let in with violations, as `omit` and `allow` want it
    rules: dict[tuple[str, str, str], BrokenRule] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        rules = sorted(self.rules.values(), key=lambda rule: -rule.events)
        found = {name: value for name, value in vars(self).items() if name != "rules"}
        return {**found, "rules": [vars(rule) for rule in rules]}


@dataclass
class Trial:
    """What a load would make of some files, as far as contracts go."""

    lines: int = 0
    events: int = 0
    blocked: int = 0
    flawed: int = 0
    by_event: dict[str | None, Tried] = field(default_factory=dict)

    @property
    def unplanned(self) -> list[Tried]:
        """The track events that no contract speaks of."""
        tried = self.by_event.values()
        return [found for found in tried if found.type == "track" and not found.has_contract]

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "lines": self.lines,
            "events": self.events,
            "clean": self.events - self.blocked - self.flawed,
            "blocked": self.blocked,
            "flawed": self.flawed,
            "by_event": [found.as_json() for found in self.by_event.values()],
            "unplanned": [found.event for found in self.unplanned],
        }


def try_events(
    inputs: Sequence[str],
    contracts: Iterable[Contract],
    config: Config,
    root: Path,
    *,
    source: str | None,
) -> Trial:
    """Hold the events of NDJSON files (`-`: standard input) against `contracts`.

    They go through privacy, transformations and middleware first, as `config` in the folder `root`
    has them; what is left out there breaks nothing. Nothing is written. Repeats count as often as
    they come: what is loaded already is not known here. Raises ConfigError for a missing input,
    StorageError for a damaged one.
    """
    check_inputs(list(inputs))
    contracts = list(contracts)
    judge = Judge(config, root, contracts)
    planned = {contract.table for contract in contracts}
    intake = Intake(config, source, judge.privacy)
    trial = Trial()
    for name in inputs:
        for number, line in _numbered(name):
            trial.lines += 1
            block = intake.read([line])
            block = intake.split_batches(block, [0]) or block
            for index in range(len(block.texts)):
                candidate = intake.candidate(block, index)
                ruling = judge.rule(candidate)
                tried = _tried(trial, ruling.event or candidate.event, planned)
                _count(trial, tried, candidate, ruling.violations, (name, number))
    return trial


def _numbered(name: str) -> Iterator[tuple[int, bytes]]:
    """The lines of an input that are not blank, with their numbers from 1."""
    number = 0
    for lines in read_lines(name, lambda _: None):
        for line in lines:
            number += 1
            if line and not line.isspace():
                yield number, line


def _tried(trial: Trial, event: Event, planned: set[str]) -> Tried:
    call, name = event.get("type"), event.get("event")
    if call not in CALL_TABLES:
        return trial.by_event.setdefault(None, Tried(None, None, None, has_contract=False))
    if call == "track":
        if not isinstance(name, str) or not name.strip():
            return trial.by_event.setdefault(None, Tried(None, None, None, has_contract=False))
        table = table_name(name)
    else:
        table, name = CALL_TABLES[call], call
    return trial.by_event.setdefault(table, Tried(name, call, table, table in planned))


def _count(
    trial: Trial,
    tried: Tried,
    candidate: Candidate,
    found: Mapping[Action, list[Violation]],
    place: tuple[str, int],
) -> None:
    trial.events += 1
    tried.events += 1
    is_blocked, is_flawed = "block" in found, bool(found) and "block" not in found
    trial.blocked += is_blocked
    tried.blocked += is_blocked
    trial.flawed += is_flawed
    tried.flawed += is_flawed
    first: dict[tuple[Action, str, str], Violation] = {}
    for action, violations in found.items():
        for violation in violations:
            key = (action, violation.rule, _ARRAY_PLACE.sub("[*]", violation.path))
            first.setdefault(key, violation)
    for key, violation in first.items():
        if key not in tried.rules:
            file = "standard input" if place[0] == STDIN else place[0]
            message, message_id = violation.message, candidate.message_id
            tried.rules[key] = BrokenRule(*key, message, message_id, file, place[1])
        tried.rules[key].events += 1
