"""`headwater profile forget`: a person erased everywhere, and let in no more."""

from typing import TYPE_CHECKING

import click

from loader.cli.options import in_workspace, json_option
from loader.cli.output import note, printable, show_json

if TYPE_CHECKING:
    from loader.config import Workspace
    from loader.forget import Receipt, Survey


@click.command()
@click.argument("asked", metavar="ID")
@click.option("--dry-run", is_flag=True, help="Show what would go, and change nothing.")
@click.option("--yes", is_flag=True, help="Erase without asking.")
@click.option(
    "--allow-again",
    is_flag=True,
    help="Let in again the events of who was forgotten by ID; nothing comes back.",
)
@json_option
@in_workspace
def forget(
    workspace: "Workspace",
    *,
    asked: str,
    dry_run: bool,
    yes: bool,
    allow_again: bool,
    as_json: bool,
) -> None:
    """Erase a person from raw tables, violations, archive, spool, marts and state, and let in no
    event of theirs from now on.

    ID is type:value, a value of any type, or a profile's id. It asks before it erases; what cannot
    be undone is not undone by --allow-again. Killed at any moment and repeated, it is done.
    """
    from loader.forget import allow_again as allow
    from loader.forget import forget as erase
    from loader.forget import survey

    if allow_again:
        count = allow(workspace, asked)
        if as_json:
            show_json({"allowed_again": count})
        else:
            click.echo(f"events of {printable(asked)} are let in again; nothing came back")
        return
    found = survey(workspace, asked)
    if dry_run:
        if as_json:
            show_json({"identifiers": sorted(map(str, found.person.identifiers)), **_counts(found)})
        else:
            click.echo(_describe(found))
        return
    if not yes:
        click.echo(_describe(found), err=True)
        click.confirm("Erase all of it? Nothing brings it back", abort=True, err=True)
    receipt = erase(workspace, found.person, note)
    if as_json:
        show_json(receipt.as_json())
    else:
        click.echo(_describe_receipt(receipt))


def _counts(found: "Survey") -> dict[str, object]:
    return {"would_erase": found.counts, "is_forgotten": found.is_forgotten}


def _describe(found: "Survey") -> str:
    lines = ["these identifiers are the person's:"]
    lines += [f"  {printable(one)}" for one in sorted(map(str, found.person.identifiers))]
    lines += ["this would go, and all that the marts make of it:"]
    lines += [f"  {place}: {count:,}" for place, count in sorted(found.counts.items())]
    if not found.counts:
        lines[-1] = "nothing of theirs is stored; their events would be let in no more"
    return "\n".join(lines)


def _describe_receipt(receipt: "Receipt") -> str:
    lines = [f"forgotten: receipt .headwater/receipts/{receipt.receipt}.json"]
    lines += [f"  {place}: {count:,} erased" for place, count in receipt.erased.items()]
    lines.append(
        f"  {receipt.files_rewritten:,} files written anew, {receipt.files_removed:,} removed; the "
        "marts are built anew; their events are let in no more"
    )
    lines += [f"  left to others: {told}" for told in receipt.left_to_others]
    return "\n".join(lines)
