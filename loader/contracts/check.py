"""Checks events against their contracts: fast when an event is good, exact when it isn't.

`jsonschema` is the judge of what a contract means. `jsonschema-rs` goes first, since it is a
hundred times faster; only what it refuses is put to the judge, who also gives the reasons.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import jsonschema_rs
import referencing
from jsonschema import Draft7Validator

from loader.contracts.messages import explain
from loader.contracts.plan import Contract
from loader.errors import ConfigError
from loader.event.envelope import Event
from loader.event.naming import CALL_TABLES, table_name

MAX_VIOLATIONS = 20  # told of one event and contract: more would only repeat its payload


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: the JSON Schema keyword, the place as a JSON path, and what is wrong."""

    rule: str
    path: str
    message: str


class _Checker:
    def __init__(self, contract: Contract) -> None:
        self.schema = contract.schema
        try:
            fast = jsonschema_rs.Draft7Validator(
                contract.schema, validate_formats=True, retriever=_refuse_remote
            )
        except ValueError as problem:
            raise ConfigError(
                f"{contract.file}: {str(problem).splitlines()[0]}",
                fix="mend the file; a `$ref` must stay inside it",
            ) from problem
        self._is_valid: Callable[[Event], bool] = fast.is_valid
        self._judge = Draft7Validator(
            contract.schema,
            format_checker=Draft7Validator.FORMAT_CHECKER,
            registry=referencing.Registry(),
        )

    def violations(self, event: Event) -> list[Violation]:
        try:
            if self._is_valid(event):
                return []
        except (ValueError, RecursionError):
            pass  # a value that the fast one can't take, such as an integer of 200 digits
        found = islice(self._judge.iter_errors(event), MAX_VIOLATIONS)
        errors = sorted(found, key=lambda error: list(map(str, error.path)))
        return [Violation(*explain(error)) for error in errors]


class Contracts:
    """All contracts of a workspace, ready to check events."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        checkers = {contract.table: _Checker(contract) for contract in contracts}
        self._common = checkers.pop("", None)
        self._by_table = checkers

    def schemas_of(self, table: str) -> list[dict[str, Any]]:
        """The schemas that an event of `table` has to keep."""
        checkers = (self._by_table.get(table), self._common)
        return [checker.schema for checker in checkers if checker]

    def violations(self, event: Event) -> list[Violation]:
        """What `event` (normalised) breaks: its own contract's rules first, then the common ones.

        A track event's contract is found by its table, so that `order completed` is held to the
        rules of `Order Completed`.
        """
        call = event["type"]
        table = table_name(event["event"]) if call == "track" else CALL_TABLES[call]
        own = self._by_table.get(table)
        found = own.violations(event) if own else []
        return found + self._common.violations(event) if self._common else found


def _refuse_remote(uri: str) -> Any:
    raise ValueError(f"{uri} is outside of the file")
