"""`headwater contracts add`: contracts from the library of semantic events."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from loader.cli.contracts.place import find_contracts, schemas_option
from loader.cli.options import json_option, workspace_option
from loader.cli.output import note, show_json, show_table

if TYPE_CHECKING:
    from loader.authoring import SemanticEvent


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--list", "is_list", is_flag=True, help="List what the library has; write nothing.")
@click.option(
    "--category",
    metavar="NAME",
    help="All of ecommerce, b2b_saas, mobile, video, email, live_chat or ab_testing.",
)
@schemas_option
@json_option
@workspace_option
def add(
    *,
    names: tuple[str, ...],
    is_list: bool,
    category: str | None,
    schemas: Path | None,
    as_json: bool,
) -> None:
    """Take contracts of well-known events from the library.

    Writes schemas/track/<event>.json for each NAME, such as 'Order Completed'; if one of them has a
    contract already, writes none (exit code 2). With --category, events that have one are passed
    over.
    """
    from loader.authoring import planned, write_contracts
    from loader.event.naming import table_name

    if is_list:
        _show_list(_chosen(names, category) or _library(), as_json=as_json)
        return
    if not names and category is None:
        raise click.UsageError(
            "name an event, or a --category; --list shows what there is",
            click.get_current_context(),
        )
    chosen = _chosen(names, category)
    folder, _ = find_contracts(schemas)
    known = planned(folder)
    named = {event.name for event in _chosen(names, None)}
    passed_over = [e for e in chosen if e.name not in named and table_name(e.name) in known]
    documents = {e.name: e.document for e in chosen if e not in passed_over}
    written = write_contracts(folder, documents)
    for event in passed_over:
        note(f"{event.name}: has a contract already, {known[table_name(event.name)]}; left alone")
    if as_json:
        show_json(
            {"written": [str(path) for path in written], "kept": [e.name for e in passed_over]}
        )
    for path in written if not as_json else ():
        click.echo(f"written: {path}")


def _library() -> list["SemanticEvent"]:
    from loader.authoring import semantic_events

    return list(semantic_events().values())


def _chosen(names: Sequence[str], category: str | None) -> list["SemanticEvent"]:
    """The events named and those of the category, each once, in the order of asking."""
    from loader.authoring import events_of_category, find_semantic_event

    events = [find_semantic_event(name) for name in names]
    if category is not None:
        events += events_of_category(category)
    return list({event.name: event for event in events}.values())


def _show_list(events: Sequence["SemanticEvent"], *, as_json: bool) -> None:
    if as_json:
        show_json(events)
        return
    rows = [(event.name, event.category, event.description) for event in events]
    show_table(("event", "category", "description"), rows)
