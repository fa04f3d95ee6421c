"""Names of events, and of their properties, that somebody will stumble over."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from loader.authoring.findings import Finding
from loader.authoring.library import semantic_events
from loader.contracts import Contract
from loader.event.envelope import BODY_FIELD
from loader.event.naming import column_name, table_name

# Words that a title leaves small, as in `Product Added to Wishlist`.
_SMALL: Final = "a|an|and|as|at|by|for|from|in|of|off|on|or|out|per|the|to|via|with"
_FORMS: Final = {
    "Title Case": re.compile(
        rf"[A-Z0-9][^\s_-]*(?: (?:(?:{_SMALL}) )*[A-Z0-9][^\s_-]*)*(?: (?:{_SMALL}))?", re.ASCII
    ),
    "snake_case": re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+"),
    "kebab-case": re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+"),
    "camelCase": re.compile(r"[a-z0-9]+(?:[A-Z][a-z0-9]*)+"),
}
_MAX_DEPTH: Final = 16


def remarks_on_names(contracts: Iterable[Contract], folder: Path) -> Iterator[Finding]:
    """Event names in another form than the plan's, or than the trade's; properties that meet."""
    contracts = list(contracts)
    tracked = [contract for contract in contracts if contract.call == "track"]
    form = _form_of_all(contract.name for contract in tracked)
    known = {table_name(name): name for name in semantic_events()}
    old = {
        table_name(alias): name
        for name, event in semantic_events().items()
        for alias in event.aliases
    }
    for contract in tracked:
        message, fix = _misnamed(contract, form, known, old)
        if message:
            place = str(contract.file.relative_to(folder))
            yield Finding("warning", "name_form", place, "$.name", message, fix)
    for contract in contracts:
        yield from _names_that_meet(contract, str(contract.file.relative_to(folder)))


def _form_of_all(names: Iterable[str]) -> str:
    """The form that most of the names have; Title Case where none prevails."""
    forms = Counter(
        form for name in names for form, shape in _FORMS.items() if shape.fullmatch(name)
    )
    best = forms.most_common(1)
    return best[0][0] if best and best[0][1] > forms["Title Case"] else "Title Case"


def _misnamed(
    contract: Contract, form: str, known: Mapping[str, str], old: Mapping[str, str]
) -> tuple[str, str]:
    """What is to be said of the name and what to do about it; "" and "" of a good one."""
    name = contract.name
    if name != " ".join(name.split()) or not name.isprintable():
        return f"{name!r} has space or control characters to spare", "take them out"
    if contract.table in old:
        wanted = old[contract.table]
        return f"{name!r} is an old name of {wanted!r}", f"send and plan {wanted!r}"
    if not name.isascii() or _FORMS[form].fullmatch(name):
        return "", ""
    if form == "Title Case" and contract.table in known:
        wanted = known[contract.table]
        return f"{name!r} is written {wanted!r} elsewhere", f"write {wanted!r}"
    why = "as most events here are" if form != "Title Case" else "as in 'Order Completed'"
    return f"{name!r} is not in {form}, {why}", "write all events in one form"


def _names_that_meet(contract: Contract, place: str) -> Iterator[Finding]:
    columns: dict[str, set[str]] = defaultdict(set)
    if contract.call in BODY_FIELD:
        described = contract.schema.get("properties", {})
        for field, root in ((BODY_FIELD[contract.call], ()), ("context", ("context",))):
            for path in _paths(described.get(field), root, _MAX_DEPTH):
                columns[column_name(path)].add(".".join(path))
    for column, paths in columns.items():
        if len(paths) > 1:
            said = f"{' and '.join(sorted(paths))} meet in the column {column}"
            fix = "keep one: where an event has both, the second goes to `_rescued`"
            yield Finding("warning", "names_meet", place, "$", said, fix)


def _paths(schema: Any, root: tuple[str, ...], depth: int) -> Iterator[tuple[str, ...]]:
    """The paths of all properties that hold no others."""
    described = schema.get("properties") if isinstance(schema, dict) else None
    for name, rules in described.items() if isinstance(described, dict) else ():
        inner = rules.get("properties") if isinstance(rules, dict) else None
        if inner and depth:
            yield from _paths(rules, (*root, name), depth - 1)
        else:
            yield (*root, name)
