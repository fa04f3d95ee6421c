"""What the contracts say of an event: let in, perhaps without some of it, or kept back; and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from jsonschema.exceptions import ValidationError

from loader.contracts.checker import Checker
from loader.contracts.messages import explain
from loader.contracts.omission import Place, path_text, places_to_omit, without
from loader.event.envelope import Event

MAX_VIOLATIONS = 20  # told of one event and contract: more would only repeat its payload

Action = Literal["block", "omit", "allow"]


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: the JSON Schema keyword, the place as a JSON path, and what is wrong."""

    rule: str
    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of an event with violations.

    `event` is what is let in: the event, or a copy without what was left out; None: it is kept
    back. `violations` are told by what was done about them, and never empty.
    """

    event: Event | None
    violations: dict[Action, list[Violation]]


class Hearing:
    """Finds the verdict on one event, step by step; the event itself is never changed."""

    def __init__(self, event: Event) -> None:
        self.event = event  # what is left of it
        self._omitted: list[Place] = []
        self._found: dict[Action, list[Violation]] = {}

    def block(self, violation: Violation) -> None:
        """Keep the event back."""
        self._tell("block", [violation])

    def omit_unplanned(self, places: Iterable[Place]) -> None:
        """Leave out what its contract doesn't know."""
        places = list(places)
        self._tell("omit", [_unplanned(place) for place in places[:MAX_VIOLATIONS]])
        self._omit(places)

    def hold_to(self, checker: Checker, on_violation: Action) -> None:
        """Hold what is left of the event to one contract."""
        if checker.is_valid(self.event):
            return
        errors = checker.errors(self.event)
        if on_violation != "omit":
            self._tell(on_violation, told(errors))
            return
        mended: list[ValidationError] = []
        unmended: list[ValidationError] = []
        event = self.event
        for error in errors:
            places = list(places_to_omit(error, event))
            (mended if places else unmended).append(error)
            self._omit(places)
        self._tell("omit", told(mended))
        self._tell("allow", told(unmended))

    def verdict(self) -> Verdict | None:
        """What came of it; None: nothing is to be said of the event."""
        if not self._found:
            return None
        if "block" in self._found:
            return Verdict(None, {"block": self._found["block"]})
        event = self.event
        if self._omitted:
            paths = list(dict.fromkeys(map(path_text, self._omitted)))
            context = event.get("context") or {}
            stated = context.get("protocols")
            protocols = {**(stated if isinstance(stated, dict) else {}), "omitted": paths}
            event = {**event, "context": {**context, "protocols": protocols}}
        return Verdict(event, self._found)

    def _omit(self, places: list[Place]) -> None:
        self._omitted += places
        self.event = without(self.event, places)

    def _tell(self, action: Action, violations: list[Violation]) -> None:
        if violations:
            self._found.setdefault(action, []).extend(violations)


def told(errors: Iterable[ValidationError]) -> list[Violation]:
    """What the judge found, in words; the first MAX_VIOLATIONS, in the order of their places."""
    some = sorted(islice(errors, MAX_VIOLATIONS), key=lambda error: list(map(str, error.path)))
    return [Violation(*explain(error)) for error in some]


def _unplanned(place: Place) -> Violation:
    return Violation(
        "unplanned_property", path_text(place), "is not in the contract, and was left out"
    )
