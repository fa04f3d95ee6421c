"""`headwater violations`: what was kept back and why, and another try once a contract is mended."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Final

import click

from loader.cli.options import in_workspace, json_option
from loader.cli.output import note, printable, show_json, show_table
from loader.exit_codes import DONE, NEWLY_REJECTED

if TYPE_CHECKING:
    from loader.config import Workspace
    from loader.load import RetryReport, Selection, ViolationRow


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_OPTIONS: Final = (
    click.option(
        "--message",
        "message_ids",
        metavar="ID",
        multiple=True,
        help="Only this message; again for more.",
    ),
    click.option(
        "--since",
        type=_time,
        metavar="TIME",
        help="Only what was received since, as in 2025-03-04.",
    ),
    click.option("--source", metavar="NAME", help="Only of this source."),
    click.option("--rule", metavar="RULE", help="Only what broke this rule, such as required."),
    click.option(
        "--event",
        metavar="NAME",
        help="Only this track event, or calls of this type (identify).",
    ),
)


def _selection(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which both commands choose, as the one argument `selection`."""

    def invoke(*arguments: Any, **options: Any) -> Any:
        from loader.load import Selection

        names = ("event", "rule", "source", "since", "message_ids")
        chosen = Selection(**{name: options.pop(name) for name in names})
        return command(*arguments, selection=chosen, **options)

    update_wrapper(invoke, command)
    for option in _OPTIONS:
        option(invoke)
    return invoke


@click.group()
def violations() -> None:
    """Show what was kept back and why; load it again after a contract changed."""


@violations.command("list")
@click.option("--all", "is_all", is_flag=True, help="Also what was loaded since, or never blocked.")
@click.option("--rows", "in_rows", is_flag=True, help="Each violation by itself, not counted.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Show at most so many groups or rows.",
)
@json_option
@in_workspace
@_selection
def list_(
    workspace: "Workspace",
    *,
    selection: "Selection",
    is_all: bool,
    in_rows: bool,
    limit: int,
    as_json: bool,
) -> None:
    """Show what is kept back, by event and rule.

    An event that was blocked and then loaded, since it was sent again or by `violations retry`, is
    kept back no longer.
    """
    from loader.load import list_violations, summarise_violations

    if in_rows:
        rows, is_cut = list_violations(workspace, selection, is_all=is_all, max_rows=limit)
        _show([_row_document(row) for row in rows], as_json=as_json, but="payload")
    else:
        groups, is_cut = summarise_violations(workspace, selection, is_all=is_all, max_groups=limit)
        _show([asdict(group) for group in groups], as_json=as_json, but="action")
    if is_cut:
        note(f"only the first {limit}; --limit gives more")


@violations.command()
@json_option
@in_workspace
@_selection
def retry(workspace: "Workspace", *, selection: "Selection", as_json: bool) -> int:
    """Judge what is kept back by the contracts as they are now, and load what passes, once.

    What still fails stays kept back. What no contract can mend does too: what is not an event, has
    no identity or name, is over 32 KB, or came with an unknown write key.
    """
    from loader.load import retry_violations

    report = retry_violations(workspace, selection)
    if as_json:
        show_json(report.as_json())
    else:
        click.echo(_describe(report))
    for warning in report.warnings:
        note(warning)
    return NEWLY_REJECTED if report.newly_blocked else DONE


def _describe(report: "RetryReport") -> str:
    if not report.events_in:
        return "nothing is kept back, or nothing of what was asked for"
    lines = [f"{report.accepted:,} of {report.events_in:,} events loaded in {report.seconds:.1f} s"]
    width = max(map(len, report.tables), default=0)
    lines += [f"  {table:<{width}}  {rows:>9,}" for table, rows in sorted(report.tables.items())]
    others = (
        (report.duplicates, "were loaded in the meantime"),
        (report.suppressed, "are suppressed"),
        (report.dropped, "are dropped by a transformation"),
    )
    lines += [f"{count:,} {what}" for count, what in others if count]
    if report.blocked:
        lines.append(f"{report.blocked:,} stay kept back: headwater violations list")
    if report.newly_blocked:
        lines.append(f"{report.newly_blocked:,} of them for another reason than before")
        lines.append(f"  for instance {printable(report.example)}")
    return "\n".join(lines)


def _row_document(row: "ViolationRow") -> dict[str, Any]:
    """A row with its payload as the JSON that it is."""
    import msgspec

    return {**asdict(row), "payload": msgspec.Raw(row.payload.encode())}


def _show(documents: list[dict[str, Any]], *, as_json: bool, but: str) -> None:
    """All as JSON, or, without the column `but`, as a table."""
    if as_json:
        show_json(documents)
    elif not documents:
        click.echo("nothing is kept back, or nothing of what was asked for")
    else:
        names = [name for name in documents[0] if name != but]
        show_table(names, [[_cell(document[name]) for name in names] for document in documents])


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return ", ".join(value) if isinstance(value, list) else value
