"""What is to be seen of a workspace without changing it."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from loader.config import Workspace
from loader.config.workspace import CONFIG_FILE
from loader.contracts import read_contracts
from loader.doctor.check import Check
from loader.errors import LoaderError
from loader.locks import holder_of
from loader.warehouse.locks import is_open_for_writing
from loader.warehouse.published import views_are_current

_MIN_FREE_BYTES: Final = 1_000_000_000
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_COMMENT: Final = re.compile(r"(^|\s)#.*", re.MULTILINE)


def _variables(workspace: Workspace) -> Iterator[Check]:
    """The names that headwater.yml takes from the environment; never a value."""
    text = _COMMENT.sub("", (workspace.root / CONFIG_FILE).read_text(encoding="utf-8"))
    names = dict.fromkeys(_VARIABLE.findall(text))
    unset = [name for name in names if not os.environ.get(name)]
    if unset:
        fix = "export each before a command that uses it; the others run without"
        yield Check.warn("environment", f"not set: {', '.join(unset)}", fix)
    else:
        yield Check.ok("environment", f"set: {', '.join(names) or 'nothing is asked for'}")


def _contracts(workspace: Workspace) -> Iterator[Check]:
    try:
        contracts = read_contracts(workspace.schemas)
    except LoaderError as problem:
        yield Check.fail("contracts", problem.message, problem.fix)
    else:
        yield Check.ok("contracts", f"{len(contracts)} in {workspace.schemas}")


def _disk(workspace: Workspace) -> Iterator[Check]:
    place = workspace.home if workspace.home.is_dir() else workspace.root
    if not os.access(place, os.W_OK | os.X_OK):
        yield Check.fail("disk", f"{place}: no write access", "give this user write access there")
        return
    free_bytes = shutil.disk_usage(place).free
    found = f"{place}: {free_bytes / 1e9:.1f} GB free"
    if free_bytes < _MIN_FREE_BYTES:
        yield Check.warn("disk", found, "make room: a transform copies the warehouse file")
    else:
        yield Check.ok("disk", found)


def _locks(workspace: Workspace) -> Iterator[Check]:
    held = {path: holder_of(path) for path in sorted(workspace.home.glob("*.lock"))}
    busy = [f"{path.stem} by {_process(pid)}" for path, pid in held.items() if pid is not None]
    yield Check.ok("locks", f"held: {'; '.join(busy)}" if busy else "none held")
    if is_open_for_writing(workspace.warehouse):
        writers = "; ".join(map(_process, _with_open(workspace.warehouse))) or "another process"
        yield Check.fail(
            "writers",
            f"{workspace.warehouse} is open for writing in {writers}",
            "close it there, or open it read-only: nothing can be published meanwhile",
        )


def _leftovers(workspace: Workspace) -> Iterator[Check]:
    stray = workspace.warehouse.with_name(f"{workspace.warehouse.name}.wal")
    if stray.exists() and not is_open_for_writing(workspace.warehouse):
        fix = "any other headwater command moves it aside"
        yield Check.warn("leftovers", f"{stray}: left by a process that was stopped", fix)
    for aside in sorted(workspace.home.glob(f"{stray.name}.*")):
        fix = "delete it once nobody misses what was written there"
        yield Check.warn("leftovers", f"{aside}: moved aside earlier", fix)
    for temporary in sorted(workspace.home.glob(".*.tmp")):
        fix = "delete it if no headwater command is at work; the next one replaces it anyway"
        yield Check.warn("leftovers", f"{temporary}: half-written, never used", fix)


def _published(workspace: Workspace) -> Iterator[Check]:
    if not workspace.warehouse.is_file():
        fix = "any other headwater command creates it"
        yield Check.warn("warehouse", f"{workspace.warehouse} does not exist yet", fix)
        return
    try:
        is_current = views_are_current(workspace)
    except LoaderError as problem:
        yield Check.fail("warehouse", problem.message, problem.fix)
        return
    if is_current:
        has = "the logs kept here, " if workspace.config.warehouse.is_bigquery else ""
        told = f"{workspace.warehouse}: {has}readable, its views are up to date"
        yield Check.ok("warehouse", told)
    else:
        fix = "any other headwater command refreshes them"
        yield Check.warn("warehouse", f"{workspace.warehouse}: its views are out of date", fix)


def _bigquery(workspace: Workspace) -> Iterator[Check]:
    if workspace.config.warehouse.is_bigquery:
        # Imported here because google.cloud is slow to.
        from loader.doctor.bigquery import examine_bigquery  # noqa: PLC0415

        yield from examine_bigquery(workspace)


def _process(pid: int) -> str:
    """The process and its command, where the system tells."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        command = ""
    return f"process {pid}" + (f" ({command[:80]})" if command else "")


def _with_open(path: Path) -> Iterator[int]:
    """Processes that have `path` open, as far as this user may see."""
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if link.samefile(path):
                yield int(link.parts[2])
        except OSError:
            continue


WORKSPACE_CHECKS: Final[tuple[Callable[[Workspace], Iterator[Check]], ...]] = (
    _variables,
    _contracts,
    _disk,
    _locks,
    _leftovers,
    _published,
    _bigquery,
)
