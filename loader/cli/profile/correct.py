"""`headwater profile split`, `merge` and `block`: rows of identity_overrides.csv, or back."""

import sys
from collections.abc import Callable
from functools import partial, update_wrapper
from typing import TYPE_CHECKING, Any, Final

import click

from loader.cli.options import in_workspace, json_option
from loader.cli.output import note as tell
from loader.cli.output import printable, show_json
from loader.cli.transform import as_document, describe

if TYPE_CHECKING:
    from loader.config import Workspace
    from loader.overrides import Kind

_OPTIONS: Final = (
    click.option("--undo", is_flag=True, help="Remove the row again."),
    click.option("--note", metavar="TEXT", default="", help="Why; kept in the row."),
    click.option("--transform", "is_applied", is_flag=True, help="Run `headwater transform` then."),
    json_option,
)


def _correction(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that all three have, given to `_correct`, and the workspace."""

    def invoke(workspace: "Workspace", *arguments: Any, **options: Any) -> None:
        names = ("undo", "note", "is_applied", "as_json")
        given = {name: options.pop(name) for name in names}
        _correct(workspace, *command(*arguments, **options), **given)

    update_wrapper(invoke, command)
    for option in reversed(_OPTIONS):
        option(invoke)
    return in_workspace(invoke)


@click.command()
@click.argument("asked", metavar="ID")
@_correction
def split(asked: str) -> tuple["Kind", tuple[str, ...]]:
    """Take an identifier out of what it joins: from now on it counts only by itself."""
    return "split", (asked,)


@click.command()
@click.argument("asked", metavar="A")
@click.argument("asked_other", metavar="B")
@_correction
def merge(asked: str, asked_other: str) -> tuple["Kind", tuple[str, ...]]:
    """Make the profiles of two identifiers one, whatever the rules say."""
    return "merge", (asked, asked_other)


@click.command()
@click.argument("asked", metavar="ID [B]", nargs=-1, required=True)
@_correction
def block(asked: tuple[str, ...]) -> tuple["Kind", tuple[str, ...]]:
    """Let an identifier identify nobody; or, of two, let no event link them."""
    if len(asked) > 2:
        raise click.UsageError("wanted one identifier, or two that are not to be linked")
    return ("block_link" if len(asked) == 2 else "block_identifier"), asked


def _correct(
    workspace: "Workspace",
    kind: "Kind",
    asked: tuple[str, ...],
    *,
    undo: bool,
    note: str,
    is_applied: bool,
    as_json: bool,
) -> None:
    if undo and note:
        raise click.UsageError("--note says why a row is there; --undo removes it")
    done = _undo(workspace, kind, asked) if undo else _decide(workspace, kind, asked, note)
    if not as_json:
        click.echo(printable(f"{done['change']}: {done['override']}  ({done['file']})"))
        for line in done["outcome"]:
            click.echo(f"  {printable(line)}")
        if not is_applied:
            click.echo("  it holds from the next `headwater transform` on")
    if is_applied:
        from loader.transform import transform

        say = partial(click.echo, err=True) if sys.stderr.isatty() else None
        report = transform(workspace, say=say)
        done["transform"] = as_document(report)
        if not as_json:
            click.echo(describe(report))
        for message in report.messages:
            tell(message)
    if as_json:
        show_json(done)


def _decide(
    workspace: "Workspace", kind: "Kind", asked: tuple[str, ...], note: str
) -> dict[str, Any]:
    from loader.overrides import add_override, overrides_file
    from loader.profile import plan

    override, outcome = plan(workspace, kind, asked, note)
    known = add_override(workspace, override)
    return {
        "change": "there already" if known else "added",
        "override": known or override,
        "file": str(overrides_file(workspace)),
        "outcome": outcome,
    }


def _undo(workspace: "Workspace", kind: "Kind", asked: tuple[str, ...]) -> dict[str, Any]:
    from loader.overrides import overrides_file, remove_override
    from loader.profile import find_override

    override = find_override(workspace, kind, asked)
    remove_override(workspace, override)
    return {
        "change": "removed",
        "override": override,
        "file": str(overrides_file(workspace)),
        "outcome": ["what it touched is resolved anew, by the rules and the other rows"],
    }
