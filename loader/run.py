"""A whole run: load, transform, sync, in order; once, or again and again at a pace."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from loader.config import Workspace
from loader.errors import LoaderError
from loader.load import load_files
from loader.sync import run_syncs
from loader.transform import transform
from loader.warehouse import exclusive

DONE, FAILED, MISUSED, NEWLY_REJECTED = 0, 1, 2, 3
_WORSE_TO_THE_RIGHT: Final = (DONE, NEWLY_REJECTED, FAILED, MISUSED)


@dataclass(frozen=True)
class StageOutcome:
    """How one stage of a run ended: its reports, or the error that ended it."""

    stage: str
    exit_code: int
    reports: Sequence[Any] = ()
    error: LoaderError | None = None


def worst(exit_codes: Sequence[int]) -> int:
    """The exit code that stands for all of them: 2 before 1 before 3 before 0."""
    return max(exit_codes, key=_WORSE_TO_THE_RIGHT.index, default=DONE)


def run_once(workspace: Workspace, inputs: Sequence[str] = ()) -> Iterator[StageOutcome]:
    """Load, transform, sync; each outcome as it comes.

    Newly blocked or rejected rows stop nothing; a stage that fails ends the run.
    """
    with exclusive(workspace.home / "run.lock", "run"):
        yield from _stages(workspace, inputs, with_marts=True)


def run_every(
    workspace: Workspace,
    pace: timedelta,
    inputs: Sequence[str],
    wait: Callable[[float], bool],
) -> Iterator[StageOutcome]:
    """The same until `wait` says stop: load at `pace`, transform and sync at `transform_every`.

    `wait` takes seconds and returns True once the run is to end. A failed stage is tried again at
    its next turn; what a person must mend (exit code 2) ends the run.
    """
    marts_due = time.monotonic()
    with exclusive(workspace.home / "run.lock", "run"):
        while True:
            started = time.monotonic()
            with_marts = started >= marts_due
            if with_marts:
                marts_due = started + workspace.config.transform_every.total_seconds()
            for outcome in _stages(workspace, inputs, with_marts=with_marts):
                yield outcome
                if outcome.exit_code == MISUSED or wait(0):
                    return
            if wait(max(0.0, started + pace.total_seconds() - time.monotonic())):
                return


def _stages(
    workspace: Workspace, inputs: Sequence[str], *, with_marts: bool
) -> Iterator[StageOutcome]:
    stages = (_load, _transform, _sync) if with_marts else (_load,)
    for stage in stages:
        try:
            outcome = stage(workspace, inputs)
        except LoaderError as problem:
            name = stage.__name__.removeprefix("_")
            yield StageOutcome(name, problem.exit_code, error=problem)
            return
        yield outcome


def _load(workspace: Workspace, inputs: Sequence[str]) -> StageOutcome:
    report = load_files(workspace, inputs)
    return StageOutcome("load", NEWLY_REJECTED if report.blocked else DONE, [report])


def _transform(workspace: Workspace, _inputs: Sequence[str]) -> StageOutcome:
    return StageOutcome("transform", DONE, [transform(workspace)])


def _sync(workspace: Workspace, _inputs: Sequence[str]) -> StageOutcome:
    reports = run_syncs(workspace)
    return StageOutcome("sync", worst([report.exit_code for report in reports]), reports)
