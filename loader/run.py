"""A whole run: load, transform, sync, in order; once, or again and again at a pace."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from loader.config import Workspace
from loader.errors import Busy, LoaderError
from loader.exit_codes import DONE, MISUSED, NEWLY_REJECTED, worst
from loader.load import load_files
from loader.locks import exclusive
from loader.sync import run_syncs
from loader.transform import transform
from loader.warehouse import compact


@dataclass(frozen=True)
class StageOutcome:
    """How one stage of a run ended: its reports, and the errors that ended it or part of it."""

    stage: Literal["load", "compact", "transform", "sync"]
    exit_code: int
    reports: Sequence[Any] = ()
    errors: Sequence[LoaderError] = ()


def run_once(workspace: Workspace, inputs: Sequence[str] = ()) -> Iterator[StageOutcome]:
    """Load, compact if it is worth it, transform, sync; each outcome as it comes.

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
    yield (load := _load(workspace, inputs, is_paced=not with_marts))
    has_loaded = any(report.load_id for report in load.reports)
    if has_loaded or (with_marts and not load.errors):
        yield from _compact(workspace)
    if with_marts and not load.errors:
        yield (transformed := _transform(workspace))
        if not transformed.errors:
            yield _sync(workspace)


def _load(workspace: Workspace, inputs: Sequence[str], *, is_paced: bool) -> StageOutcome:
    try:
        report = load_files(workspace, inputs, is_paced=is_paced)
    except LoaderError as problem:
        return StageOutcome("load", problem.exit_code, errors=[problem])
    return StageOutcome("load", NEWLY_REJECTED if report.blocked else DONE, [report])


def _compact(workspace: Workspace) -> Iterator[StageOutcome]:
    """Merge small files, if some are worth it; told only if so."""
    try:
        report = compact(workspace, is_asked_for=False)
    except Busy:
        return  # somebody does it just now
    except LoaderError as problem:
        yield StageOutcome("compact", problem.exit_code, errors=[problem])
    else:
        if report.files_before:
            yield StageOutcome("compact", DONE, [report])


def _transform(workspace: Workspace) -> StageOutcome:
    try:
        return StageOutcome("transform", DONE, [transform(workspace)])
    except LoaderError as problem:
        return StageOutcome("transform", problem.exit_code, errors=[problem])


def _sync(workspace: Workspace) -> StageOutcome:
    try:
        reports = run_syncs(workspace)
    except LoaderError as problem:
        return StageOutcome("sync", problem.exit_code, errors=[problem])
    errors = [report.error for report in reports if report.error]
    return StageOutcome("sync", worst(report.exit_code for report in reports), reports, errors)
