"""`headwater contracts diff`: what a change of the contracts breaks."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from loader.cli.contracts.place import find_contracts, is_workspace_around, schemas_option
from loader.cli.options import json_option, workspace_option
from loader.cli.output import printable, show_json
from loader.exit_codes import DONE, FAILED

if TYPE_CHECKING:
    from loader.authoring import EventDifference, PlanDifference


@click.command()
@click.argument("old")
@click.argument("new")
@click.option(
    "--strict",
    "is_strict",
    is_flag=True,
    help="Call it breaking, too, to plan an event or a property of which no contract spoke.",
)
@schemas_option
@json_option
@workspace_option
def diff(*, old: str, new: str, is_strict: bool, schemas: Path | None, as_json: bool) -> int:
    """Compare two plans, and say which changes break.

    OLD and NEW are folders of contracts, or commits whose schemas/ git has: `main`, `HEAD~1`. A
    change is breaking if events that were let in before would be blocked; `unsure` counts as
    breaking. Exit code 0: nothing breaks; 1: something does.
    """
    from loader.authoring import compare_plans, read_plan
    from loader.contracts import Contracts

    folder = workspace = None
    if is_workspace_around(schemas):
        folder, workspace = find_contracts(schemas)
    policy = Contracts([], workspace.config if workspace is not None else None)
    found = compare_plans(
        read_plan(old, folder),
        read_plan(new, folder),
        blocks_unplanned=policy.blocks_unplanned_events,
        is_strict=is_strict,
    )
    if as_json:
        show_json({"old": old, "new": new, **found.as_json()})
    else:
        _show(found)
    return FAILED if found.is_breaking else DONE


def _show(found: "PlanDifference") -> None:
    for event in found.events:
        click.echo(printable(_describe(event)))
    counts = f"{found.count('breaking'):,} breaking, {found.count('unsure'):,} unsure (count as "
    click.echo(f"{counts}breaking), {found.count('compatible'):,} compatible")


def _describe(event: "EventDifference") -> str:
    version = f", version {event.version}" if event.version != 1 else ""
    lines = [f"{event.name}{version}: {event.status}"]
    lines += [f"  {c.verdict:<10}  {c.path}: {c.message} [{c.rule}]" for c in event.changes]
    lines += [
        f"  column      raw.{c.table}.{c.column}: {c.old} → {c.new}; a column that is there keeps "
        f"its type until `headwater compact --retype {c.table}`"
        for c in event.columns
    ]
    return "\n".join(lines)
