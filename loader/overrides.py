"""What a person decided about identifiers: the rows of identity_overrides.csv, a seed of dbt."""

import csv
import io
import shutil
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import yaml

from loader.config import Workspace
from loader.durable import replacing
from loader.errors import ConfigError
from loader.event.identifiers import Identifier
from loader.locks import exclusive

Kind = Literal["block_identifier", "block_link", "split", "merge"]

_PROJECT: Final = "dbt_project.yml"
_FILE: Final = "identity_overrides.csv"
_COLUMNS: Final = ("kind", "type", "value", "other_type", "other_value", "created_at", "note")
_OF_A_PAIR: Final = ("block_link", "merge")


@dataclass(frozen=True, kw_only=True)
class Override:
    """One decision; `other` is the second identifier of a `block_link` or `merge`."""

    kind: Kind
    identifier: Identifier
    other: Identifier | None = None
    created_at: str = ""  # ISO 8601
    note: str = ""

    @property
    def ends(self) -> frozenset[Identifier]:
        """The identifiers that it names; their order means nothing."""
        return frozenset({self.identifier, self.other or self.identifier})

    def is_same_as(self, other: "Override") -> bool:
        """Whether both decide the same, whenever and why."""
        return self.kind == other.kind and self.ends == other.ends

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.kind, self.identifier, self.other) if part)


def overrides_file(workspace: Workspace) -> Path:
    """Where dbt finds the seed (by `seed-paths` of dbt_project.yml), or would find a new one.

    Raises ConfigError if there are several.
    """
    folders = [workspace.root / name for name in _seed_paths(workspace.root / _PROJECT)]
    found = [path for folder in folders for path in sorted(folder.rglob(_FILE))]
    if len(found) > 1:
        raise ConfigError(
            f"{found[0]}: there is another one, {found[1]}; dbt takes one seed of a name",
            fix="put the rows of both into one of them and delete the other",
        )
    return found[0] if found else folders[0] / _FILE


def read_overrides(workspace: Workspace) -> list[Override]:
    """All rows in their order, none if there is no file; ConfigError names a row that is wrong."""
    path = overrides_file(workspace)
    return [override for _, override in _parse(path, _lines(path))]


def add_override(workspace: Workspace, override: Override) -> Override | None:
    """Append the row; or give the one that decides the same already, and change nothing.

    Durable on return; other rows stay as they are. Raises ConfigError if a row is wrong or the new
    one would be, StorageError if the disk refuses.
    """
    with _locked(workspace) as path:
        lines = _lines(path)
        for _, known in _parse(path, lines):
            if known.is_same_as(override):
                return known
        _write(path, [*lines, _checked_line(override)])
    return None


def remove_override(workspace: Workspace, override: Override) -> None:
    """Remove every row that decides the same as `override`; errors as `add_override`."""
    with _locked(workspace) as path:
        lines = _lines(path)
        gone = {at for at, known in _parse(path, lines) if known.is_same_as(override)}
        _write(path, [line for at, line in enumerate(lines) if at not in gone])


def count_overrides(workspace: Workspace, identifiers: Set[Identifier]) -> int:
    """How many rows name one of `identifiers`; none without a dbt project."""
    if not (workspace.root / _PROJECT).is_file():
        return 0
    return sum(not override.ends.isdisjoint(identifiers) for override in read_overrides(workspace))


def erase_overrides(workspace: Workspace, identifiers: Set[Identifier]) -> None:
    """Remove those rows; what git has of them is for people to take out."""
    if not (workspace.root / _PROJECT).is_file():
        return
    with _locked(workspace) as path:
        lines = _lines(path)
        gone = {at for at, known in _parse(path, lines) if not known.ends.isdisjoint(identifiers)}
        if gone:
            _write(path, [line for at, line in enumerate(lines) if at not in gone])


def _seed_paths(project: Path) -> list[str]:
    try:
        found = yaml.safe_load(project.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"{project} does not exist: there is no dbt project that corrects a profile",
            fix="take it from a workspace that `headwater init DIR` writes",
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise ConfigError(f"{project}: not readable as YAML: {problem}") from problem
    paths = found.get("seed-paths") if isinstance(found, dict) else None
    return [str(path) for path in paths] if isinstance(paths, list) and paths else ["seeds"]


@contextmanager
def _locked(workspace: Workspace) -> Iterator[Path]:
    lock = workspace.home / "overrides.lock"
    with exclusive(lock, "correction of a profile", wait=True, is_brief=True):
        yield overrides_file(workspace)


def _lines(path: Path) -> list[str]:
    """The file's lines without their ends, the header first."""
    try:
        found = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return [",".join(_COLUMNS)]
    except UnicodeDecodeError as problem:
        raise ConfigError(f"{path}: not UTF-8: {problem}", fix="save it as UTF-8") from problem
    lines = found.split("\n")
    return [line.removesuffix("\r") for line in (lines if lines[-1] else lines[:-1])]


def _parse(path: Path, lines: Sequence[str]) -> Iterator[tuple[int, Override]]:
    """Each row with its place in `lines`."""
    header = lines[0] if lines else ""
    if header != ",".join(_COLUMNS):
        raise ConfigError(
            f"{path}: line 1: found {header!r}; wanted {','.join(_COLUMNS)!r}",
            fix="put that line first",
        )
    for at, line in enumerate(lines[1:], start=1):
        try:
            yield at, _override(line)
        except ValueError as problem:
            raise ConfigError(
                f"{path}: line {at + 1}: {problem}",
                fix=f"mend line {at + 1}, or delete it and let `headwater profile` write it",
            ) from problem


def _override(line: str) -> Override:
    """The row in `line`; ValueError says what was found and wanted."""
    if not line.strip():
        raise ValueError("found an empty line; wanted a row")
    try:
        [fields] = csv.reader([line], strict=True)
    except (csv.Error, ValueError) as problem:
        raise ValueError(
            f"found {line!r} ({problem}); wanted one row of CSV, which holds no line break"
        ) from problem
    if len(fields) != len(_COLUMNS):
        raise ValueError(f"found {len(fields)} fields; wanted {len(_COLUMNS)}: {_COLUMNS}")
    for name, field in zip(_COLUMNS, fields, strict=True):
        if any(letter < " " or "\ud800" <= letter <= "\udfff" for letter in field):
            raise ValueError(f"{name}: found {field!r}; wanted no control characters")
    kind: Any
    kind, type_, value, other_type, other_value, created_at, note = fields
    if kind not in get_args(Kind):
        raise ValueError(f"kind: found {kind!r}; wanted one of {', '.join(get_args(Kind))}")
    identifier = _identifier(type_, value, "type", "value")
    other = None
    if kind in _OF_A_PAIR:
        other = _identifier(other_type, other_value, "other_type", "other_value")
        if other == identifier:
            raise ValueError(f"found {identifier} twice; {kind} wanted two identifiers")
    elif other_type or other_value:
        found = f"{other_type}:{other_value}"
        raise ValueError(f"found {found!r} as the other identifier; {kind} wanted none")
    return Override(kind=kind, identifier=identifier, other=other, created_at=created_at, note=note)


def _identifier(type_: str, value: str, *names: str) -> Identifier:
    for name, part in zip(names, (type_, value), strict=True):
        if not part:
            raise ValueError(f"{name}: found nothing; wanted a value")
    return Identifier(type_, value)


def _checked_line(override: Override) -> str:
    line = _line(override)
    try:
        _override(line)
    except ValueError as problem:
        raise ConfigError(
            f"{override}: {problem}", fix="such a value can't stand in a seed of dbt; leave it out"
        ) from problem
    return line


def _line(override: Override) -> str:
    other = override.other or Identifier("", "")
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(
        [
            *(override.kind, override.identifier.type, override.identifier.value),
            *(other.type, other.value, override.created_at, override.note),
        ]
    )
    return written.getvalue()


def _write(path: Path, lines: Sequence[str]) -> None:
    path = path.resolve()  # a link stays one
    with replacing(path) as draft:
        draft.write_bytes("".join(f"{line}\n" for line in lines).encode())
        if path.exists():
            shutil.copymode(path, draft)
