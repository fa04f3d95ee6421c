"""Decisions about identity that name the person, in the workspace's own seed."""

import csv
import io
from pathlib import Path
from typing import Final

from loader.config import Workspace
from loader.durable import replacing
from loader.event.identifiers import Identifier
from loader.forget.person import Person

_SEED: Final = Path("dbt_project", "seeds", "identity_overrides.csv")
_ENDS: Final = (("type", "value"), ("other_type", "other_value"))


def count_overrides(workspace: Workspace, person: Person) -> int:
    """How many rows name one of the person's identifiers."""
    return len(_split(workspace, person)[1])


def erase_overrides(workspace: Workspace, person: Person) -> int:
    """Take those rows out; how many. What git has of them is for people to take out."""
    kept, gone = _split(workspace, person)
    if gone:
        with replacing(workspace.root / _SEED) as draft:
            draft.write_text("".join(kept), encoding="utf-8", newline="")
    return len(gone)


def _split(workspace: Workspace, person: Person) -> tuple[list[str], list[str]]:
    """The seed's rows as they stand there, with its header: those that stay, those that go."""
    path = workspace.root / _SEED
    if not path.is_file():
        return [], []
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    kept: list[str] = []
    gone: list[str] = []
    for number, row in enumerate(rows):
        named = dict(zip(rows[0], row, strict=False))
        ends = {Identifier(named.get(kind, ""), named.get(value, "")) for kind, value in _ENDS}
        is_gone = number > 0 and not ends.isdisjoint(person.identifiers)
        (gone if is_gone else kept).append(_line(row))
    return kept, gone


def _line(row: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row)
    return text.getvalue()
