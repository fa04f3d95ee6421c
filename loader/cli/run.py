"""`headwater run`: every stage in order, the line for cron, or a loop of its own."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from loader.cli import compact, load, sync, transform
from loader.cli.options import in_workspace, json_option
from loader.cli.output import note, show_error, show_json
from loader.exit_codes import DONE, MISUSED, worst

if TYPE_CHECKING:
    from loader.config import Workspace
    from loader.run import StageOutcome


# How each stage's reports look to a person and to a script.
_FORMS: Final[dict[str, tuple[Callable[[Any], str], Callable[[Any], dict[str, Any]]]]] = {
    "load": (load.describe, load.as_document),
    "compact": (compact.describe, compact.as_document),
    "transform": (transform.describe, transform.as_document),
    "sync": (sync.describe, sync.as_document),
}
# What in each stage's report is for stderr.
_NOTES: Final = {"load": "warnings", "transform": "messages"}


@dataclass(frozen=True)
class _Pace:
    every: timedelta

    def __post_init__(self) -> None:
        if self.every <= timedelta(0):
            raise ValueError("every: wanted more than nothing, such as 5s")


@click.command()
@click.argument("files", metavar="[FILE|-]...", nargs=-1)
@click.option(
    "--every",
    metavar="DURATION",
    help="Go on until stopped: load at this pace (5s, 1m), transform and sync at transform_every.",
)
@json_option
@in_workspace
def run(workspace: "Workspace", *, files: tuple[str, ...], every: str | None, as_json: bool) -> int:
    """Load, transform, sync, in order: the line for cron.

    A stage that fails ends the run; rows that are blocked or rejected do not. The exit code is the
    worst of the stages': 2, then 1, then 3, then 0. One run a workspace at a time.
    """
    from loader.cli.stopping import stop_signals
    from loader.config import build
    from loader.run import run_every, run_once

    if every is None:
        return _follow_once(run_once(workspace, files), as_json=as_json)
    pace: _Pace = build(_Pace, {"every": every}, "", file="headwater run")
    with stop_signals() as wait:
        return _follow(run_every(workspace, pace.every, files, wait), as_json=as_json)


def _follow_once(outcomes: Iterable["StageOutcome"], *, as_json: bool) -> int:
    """Tell each stage as it ends, or with --json all in one document; the worst exit code."""
    ended = []
    for outcome in outcomes:
        ended.append(outcome)
        _show(outcome, in_text=not as_json)
    code = worst(outcome.exit_code for outcome in ended)
    if as_json:
        show_json({"exit_code": code, "stages": [_as_document(outcome) for outcome in ended]})
    return code


def _follow(outcomes: Iterable["StageOutcome"], *, as_json: bool) -> int:
    """The same without an end: with --json one document a stage and line; being stopped is 0."""
    code = DONE
    for outcome in outcomes:
        is_idle = outcome.stage == "load" and not any(load.events_in for load in outcome.reports)
        _show(outcome, in_text=not (as_json or is_idle))
        if as_json:
            show_json(_as_document(outcome))
        code = outcome.exit_code
    return code if code == MISUSED else DONE


def _show(outcome: "StageOutcome", *, in_text: bool) -> None:
    """Errors go to stderr always, results to stdout if they are wanted as text."""
    describe, _ = _FORMS[outcome.stage]
    for report in outcome.reports if in_text else ():
        click.echo(describe(report))
        for message in getattr(report, _NOTES.get(outcome.stage, ""), ()):
            note(message)
    for error in outcome.errors:
        show_error(f"{outcome.stage}: {error}")


def _as_document(outcome: "StageOutcome") -> dict[str, Any]:
    _, as_document = _FORMS[outcome.stage]
    return {
        "stage": outcome.stage,
        "exit_code": outcome.exit_code,
        "errors": [str(error) for error in outcome.errors],
        "reports": [as_document(report) for report in outcome.reports],
    }
