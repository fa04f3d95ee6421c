"""`headwater contracts infer`: contracts drafted from what was loaded."""

from typing import TYPE_CHECKING

import click

from loader.cli.options import in_workspace, json_option
from loader.cli.output import note, show_json

if TYPE_CHECKING:
    from loader.config import Workspace


@click.command()
@click.argument("names", metavar="[EVENT]...", nargs=-1)
@click.option(
    "--write", "is_written", is_flag=True, help="Write the drafts to schemas/track/; replace none."
)
@click.option(
    "--sample",
    "max_events",
    type=click.IntRange(min=1),
    default=100_000,
    show_default=True,
    metavar="N",
    help="Look at so many events of each at most, spread over all that were loaded.",
)
@json_option
@in_workspace
def infer(
    workspace: "Workspace",
    *,
    names: tuple[str, ...],
    is_written: bool,
    max_events: int,
    as_json: bool,
) -> None:
    """Draft contracts from the events that were loaded.

    Prints them as JSON, by file. EVENT is a track event; without one, each that has no contract is
    drafted. A draft keeps what all events keep; read it before you rely on it.
    """
    from loader.authoring import draft_contracts, layout, place_of, write_contracts

    drafts = draft_contracts(workspace, names, max_events=max_events)
    documents = {draft.name: draft.document for draft in drafts}
    if is_written:
        written = write_contracts(workspace.schemas, documents)
        if as_json:
            show_json({"written": [str(path) for path in written]})
        for path in written if not as_json else ():
            click.echo(f"written: {path}")
    else:
        by_file = {f"schemas/{place_of(name)}": found for name, found in documents.items()}
        click.echo(layout(by_file))
    if not drafts:
        note("every event that was loaded has a contract")
