"""`headwater load`: events of files, or of the spool, into raw tables."""

from typing import TYPE_CHECKING, Any

import click

from loader.cli.options import in_workspace, json_option
from loader.cli.output import byte_progress, note, printable, show_json
from loader.exit_codes import DONE, FAILED, NEWLY_REJECTED

if TYPE_CHECKING:
    from loader.config import Workspace
    from loader.load import LoadReport, RebuildReport


@click.command()
@click.argument("files", metavar="[FILE|-]...", nargs=-1)
@click.option(
    "--source", metavar="NAME", help="The source of these events (default: by write key)."
)
@click.option(
    "--rebuild",
    "table",
    metavar="TABLE",
    help="Bring back rows of a raw table that are gone, from the archive.",
)
@json_option
@in_workspace
def load(
    workspace: "Workspace",
    *,
    files: tuple[str, ...],
    source: str | None,
    table: str | None,
    as_json: bool,
) -> int:
    """Check events against schemas/ and write raw tables.

    FILE is NDJSON, plain, .gz or .zst: one event, or one {"batch": [...]}, a line; '-' is standard
    input. Without FILE it loads what the collector has taken so far. Loading the same events again
    changes nothing. With BigQuery for warehouse it also brings there what waits from before.
    """
    if table is not None:
        if files or source:
            raise click.UsageError("--rebuild reads the archive: it takes no FILE and no --source")
        return _rebuild(workspace, table, as_json=as_json)
    from loader.load import load_files

    with byte_progress("loading") as progress:
        report = load_files(workspace, files, source=source, progress=progress)
    if as_json:
        show_json(as_document(report))
    else:
        click.echo(describe(report))
    for warning in report.warnings:
        note(warning)
    return NEWLY_REJECTED if report.blocked else DONE


def _rebuild(workspace: "Workspace", table: str, *, as_json: bool) -> int:
    from loader.load import rebuild_table

    report = rebuild_table(workspace, table)
    if as_json:
        show_json(report.as_json())
    else:
        click.echo(_describe_rebuilt(report))
    for warning in report.warnings:
        note(warning)
    return FAILED if report.gone else DONE


def _describe_rebuilt(report: "RebuildReport") -> str:
    if not report.missing_rows:
        return f"{report.table}: nothing is missing"
    lines = [
        f"{report.table}: {report.rows:,} of {report.missing_rows:,} missing rows came back, "
        f"of {len(report.loads):,} loads, in {report.seconds:.1f} s"
    ]
    lines += [
        f"  load {found.load_id}: {found.rows:,} rows where it brought {found.rows_then:,}: "
        "contracts, transformations or privacy are others today"
        for found in report.changed
    ]
    lines += [
        f"  load {found.load_id}: {found.rows:,} rows are lost: the archive has nothing of it "
        f"of {', '.join(map(str, found.dates))}"
        for found in report.gone
    ]
    return "\n".join(lines)


def as_document(report: "LoadReport") -> dict[str, Any]:
    """A report for `--json`."""
    return report.as_json()


def describe(report: "LoadReport") -> str:
    """A load for a person: one line of counts, then the rows that each table gained."""
    counts = [
        f"{count:,} {name}"
        for name, count in (
            ("accepted", report.accepted),
            ("blocked", report.blocked),
            ("duplicates", report.duplicates),
            ("suppressed", report.suppressed),
            ("dropped", report.dropped),
        )
        if count or name == "accepted"
    ]
    lines = [f"{report.events_in:,} events in {report.seconds:.1f} s: {', '.join(counts)}"]
    width = max(map(len, report.tables), default=0)
    lines += [f"  {table:<{width}}  {rows:>9,}" for table, rows in sorted(report.tables.items())]
    lines += [f"  {printable(name)}: loaded before" for name in report.already_loaded]
    if report.blocked:
        lines.append(f"blocked, for instance: {printable(report.example)}")
        lines.append("all of it, with reasons: headwater violations list")
    return "\n".join(lines)
