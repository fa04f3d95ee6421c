"""Reads every file of schemas/ as a careful reviewer would, and says what is wrong with it."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft7Validator

from loader.authoring.findings import Finding
from loader.authoring.keywords import KNOWN, slip_of, step, walk
from loader.authoring.names import remarks_on_names
from loader.authoring.rules import remarks_on, unknown_words
from loader.contracts import Contract, Contracts, read_contract
from loader.errors import ConfigError
from loader.event.envelope import BODY_FIELD

_CALLS: Final = frozenset(BODY_FIELD) - {"track"}
_CALL_FILES: Final = frozenset({*(f"{call}.json" for call in _CALLS), "common.json"})
# A document may hold what its owner likes beside them, but no slip of one.
_DOCUMENT_WORDS: Final = frozenset({"description", "jsonSchema", "key", "name", "rules", "version"})
_EVENT_FIELDS: Final = frozenset(
    {
        *("anonymousId", "category", "channel", "context", "event", "groupId", "integrations"),
        *("messageId", "name", "originalTimestamp", "previousId", "properties", "receivedAt"),
        *("sentAt", "timestamp", "traits", "type", "userId", "version"),
    }
)


@dataclass
class Linted:
    """What was read below `folder`: contracts that can be used, and what is to be said of all."""

    folder: Path
    contracts: list[Contract] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def errors(self) -> list[Finding]:
        """The findings that keep a contract from being used, or from meaning what it says."""
        return [finding for finding in self.findings if finding.severity == "error"]


def lint_contracts(folder: Path) -> Linted:
    """Read and check every contract below `folder`; raises nothing for what is wrong in one."""
    linted = Linted(folder)
    for path in sorted(folder.rglob("*.json")):
        place = path.relative_to(folder)
        if any(part.startswith(".") for part in place.parts):
            continue
        call = _call_of(place)
        if call is None:
            linted.findings.append(_unread(place))
            continue
        try:
            linted.findings += list(_check(path, place, call, linted.contracts))
        except RecursionError:
            said, fix = "nested too deep to be checked", "use `definitions`, or describe less"
            linted.findings.append(Finding("error", "unusable", str(place), "$", said, fix))
    linted.findings += _same_table(linted.contracts, folder)
    linted.findings += remarks_on_names(linted.contracts, folder)
    linted.findings.sort(key=lambda finding: finding.file)
    return linted


def _call_of(place: Path) -> str | None:
    """The call that the file at `place` is a contract for; None: nobody reads it."""
    if len(place.parts) == 2 and place.parts[0] == "track":
        return "track"
    call = place.name.partition(".")[0] if len(place.parts) == 1 else ""
    return call if call in _CALLS or place.name == "common.json" else None


def _unread(place: Path) -> Finding:
    slip = slip_of(place.name, _CALL_FILES) if len(place.parts) == 1 else None
    fix = f"did you mean {slip!r}?" if slip else f"move it to track/{place.name}, or out of here"
    said = "nobody reads this file: it is no call's, and not directly in track/"
    return Finding("warning", "unread_file", str(place), "$", said, fix)


def _check(path: Path, place: Path, call: str, contracts: list[Contract]) -> Iterator[Finding]:
    """The findings of one file; the contract, if it can be used, is added to `contracts`."""
    twice: list[str] = []
    try:
        found = json.loads(path.read_bytes(), object_pairs_hook=_noting(twice))
    except (ValueError, RecursionError) as problem:
        said = f"not JSON: {problem}"
        yield Finding("error", "unreadable", str(place), "$", said, "mend the file")
        return
    for name in twice:
        said = f"{name!r} stands twice in one object; only the last one counts"
        yield Finding("error", "named_twice", str(place), "$", said, "keep one")
    schema, at = (found, "$") if not isinstance(found, dict) else _rules_of(found)
    is_whole = True
    for flaw in _META.iter_errors(schema) if isinstance(found, dict) else ():
        is_whole = False
        where = at + flaw.json_path.removeprefix("$")
        said = f"not a draft-07 schema: {flaw.message}"
        yield Finding("error", "not_a_schema", str(place), where, said, "mend the rule")
    if isinstance(found, dict):
        yield from _remarks(found, place, is_whole=is_whole)
    try:
        contract = read_contract(path, call)
        Contracts([contract])
    except ConfigError as problem:
        if is_whole:
            said = problem.message.removeprefix(f"{path}: ")
            yield Finding("error", "unusable", str(place), "$", said, problem.fix)
        return
    contracts.append(contract)
    yield from _not_in_an_event(contract, place, at)


_META: Final = Draft7Validator(
    Draft7Validator.META_SCHEMA, format_checker=Draft7Validator.FORMAT_CHECKER
)


def _noting(twice: list[str]) -> Any:
    def as_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        twice.extend(sorted({name for name in names if names.count(name) > 1}))
        return dict(pairs)

    return as_object


def _rules_of(document: dict[str, Any]) -> tuple[Any, str]:
    """The schema that a contract's document holds, and where it stands there."""
    key = next((key for key in ("jsonSchema", "rules") if key in document), None)
    return (document[key], f"$.{key}") if key else (document, "$")


def _remarks(document: dict[str, Any], place: Path, *, is_whole: bool) -> Iterator[Finding]:
    schema, at = _rules_of(document)
    own = document.keys() - (KNOWN if at == "$" else set())
    slips = {word: slip_of(word, _DOCUMENT_WORDS - document.keys()) for word in sorted(own)}
    for word, slip in slips.items():
        if slip and word not in _DOCUMENT_WORDS:
            said, fix = f"unknown key {word!r}", f"did you mean {slip!r}?"
            yield Finding("error", "unknown_keyword", str(place), f"${step(word)}", said, fix)
    if at == "$":
        told = {word for word, slip in slips.items() if slip} | _DOCUMENT_WORDS
        schema = {word: rule for word, rule in document.items() if word not in told}
    for path, part in walk(schema, at):
        for remark in remarks_on(part) if is_whole else unknown_words(part):
            yield Finding(
                remark.severity, remark.rule, str(place), path, remark.message, remark.fix
            )


def _not_in_an_event(contract: Contract, place: Path, at: str) -> Iterator[Finding]:
    """Names that are required of the whole event, and which no event has there."""
    for name in contract.schema.get("required", []):
        if name not in _EVENT_FIELDS:
            said = f"{name!r} is required of the event itself, beside `properties`"
            fix = 'if it is a property, write {"name": …, "rules": {…}}, or put it in `properties`'
            yield Finding("warning", "not_in_an_event", str(place), at, said, fix)


def _same_table(contracts: Iterable[Contract], folder: Path) -> Iterator[Finding]:
    first: dict[tuple[str, int], Contract] = {}
    for contract in contracts:
        twin = first.setdefault((contract.table, contract.version), contract)
        if twin is not contract:
            said = (
                f"{contract.name!r} means version {contract.version} of the table "
                f"{contract.table}, as {twin.name!r} of {twin.file.relative_to(folder)} does"
            )
            place = str(contract.file.relative_to(folder))
            fix = 'keep one contract a table, or tell them apart: "version": 2'
            yield Finding("error", "same_table", place, "$.name", said, fix)
