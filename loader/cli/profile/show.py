"""`headwater profile show`: all that the warehouse knows of one person."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from loader.cli.options import in_workspace, json_option
from loader.cli.output import printable, show_json, show_table

if TYPE_CHECKING:
    from loader.config import Workspace
    from loader.profile import Decision, Profile

_SHOWN: Final = 20  # rows of a list; --json gives all

_HEADINGS: Final = {
    "identifiers": "identifiers",
    "traits": "traits",
    "groups": "groups",
    "computed_traits": "computed traits",
    "audiences": "audiences",
    "events": "timeline, newest first",
    "merges": "merges",
    "splits": "splits",
    "demoted": "carried by its events, but not counted",
}


@click.command()
@click.argument("asked", metavar="ID")
@click.option(
    "--events",
    "max_events",
    type=click.IntRange(min=0),
    default=_SHOWN,
    show_default=True,
    help="Show so many of the newest events.",
)
@json_option
@in_workspace
def show(workspace: "Workspace", asked: str, *, max_events: int, as_json: bool) -> None:
    """Show one profile: identifiers, traits, groups, audiences, timeline, merges, demotions.

    ID is an identifier, as type:value or the value alone, or a segment_id, a former one too.
    """
    from loader.profile import read_profile

    found = read_profile(workspace, asked, max_events=max_events)
    if as_json:
        show_json(found)
    else:
        _show(found)


def _show(found: "Profile") -> None:
    click.secho(f"profile {printable(found.canonical_id)}", bold=True)
    if found.former_id:
        click.echo(_told_former(found))
    if found.former_ids:
        click.echo(f"former ids: {_few(found.former_ids)}")
    for name, heading in _HEADINGS.items():
        rows = getattr(found, name)
        if rows:
            _show_rows(heading, rows, shown=len(rows) if name == "events" else _SHOWN)
    if found.overrides:
        click.echo("\noverrides")
        show_overrides(found.overrides)


def _told_former(found: "Profile") -> str:
    told = f"{found.former_id} is a former id of it"
    for merge in found.merges:
        if merge["segment_id"] == found.former_id:
            by = merge["triggering_event_id"]
            event = f"{merge['triggering_event_type']} {by}" if by else "an override"
            when = f" at {short(merge['timestamp'])}" if merge["timestamp"] else ""
            told += f": merged into {merge['canonical_segment_id']} by {event}{when}"
    return printable(told)


def _few(values: Sequence[str]) -> str:
    more = f" … and {len(values) - _SHOWN:,} more" if len(values) > _SHOWN else ""
    return printable(", ".join(values[:_SHOWN]) + more)


def _show_rows(heading: str, rows: Sequence[Mapping[str, Any]], *, shown: int) -> None:
    click.echo(f"\n{heading} ({len(rows):,})")
    names = list(rows[0])
    show_table(names, ([short(row[name]) for name in names] for row in rows[:shown]))
    if len(rows) > shown:
        click.echo(f"… and {len(rows) - shown:,} more; --json gives all")


def show_overrides(decisions: Iterable["Decision"]) -> None:
    """The overrides as a table."""
    rows = [
        (it.kind, it.identifier, it.other, it.state, it.created_at, it.note) for it in decisions
    ]
    show_table(("kind", "identifier", "other", "state", "written", "note"), rows)


def short(value: Any) -> Any:
    """A time to the second, in UTC; whatever else as it is."""
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else value
