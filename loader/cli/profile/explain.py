"""`headwater profile explain`: why two identifiers are one person, or why they are not."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from loader.cli.options import in_workspace, json_option
from loader.cli.output import printable, show_json
from loader.cli.profile.show import short

if TYPE_CHECKING:
    from loader.config import Workspace
    from loader.profile import Explanation


@click.command()
@click.argument("asked", metavar="A")
@click.argument("asked_other", metavar="B")
@json_option
@in_workspace
def explain(workspace: "Workspace", asked: str, asked_other: str, *, as_json: bool) -> None:
    """Show the shortest chain of events that makes two identifiers one profile.

    A and B are identifiers, as type:value or the value alone. If they are of two profiles, it says
    so, and which events carried both in vain.
    """
    from loader.profile import explain as find_explanation

    found = find_explanation(workspace, asked, asked_other)
    if as_json:
        show_json({"is_one_profile": found.is_one_profile, **asdict(found)})
    elif found.is_one_profile:
        _show_chain(found)
    else:
        _show_apart(found)


def _show_chain(found: "Explanation") -> None:
    hops = "1 hop" if len(found.hops) == 1 else f"{len(found.hops):,} hops"
    click.secho(f"one profile, {printable(found.canonical_id)}: {hops}", bold=True)
    click.echo(f"  {printable(found.identifier)}")
    for hop in found.hops:
        by = (
            f"{hop.event_type} {hop.event_id} at {short(hop.timestamp)} carried both"
            if hop.by == "event"
            else "merged by a row of identity_overrides.csv"
        )
        click.echo(f"    | {printable(by)}")
        click.echo(f"  {printable(hop.linked_identifier)}")


def _show_apart(found: "Explanation") -> None:
    from loader.profile import REASONS

    click.secho("not one profile", bold=True)
    for identifier, profile in (
        (found.identifier, found.canonical_id),
        (found.other, found.other_canonical_id),
    ):
        whose = f"profile {profile}" if profile else "no profile: it identifies nobody"
        click.echo(printable(f"  {identifier}: {whose}"))
    if not found.demotions:
        click.echo("no event carried both")
    for it in found.demotions:
        why = REASONS.get(it.reason, "see identity_demoted")
        click.echo(
            printable(
                f"{it.event_type} {it.event_id} at {short(it.timestamp)} carried both, but "
                f"{it.demoted} did not count: {it.reason} ({why})"
            )
        )
