"""`headwater sync`: what changed, sent to the tools that act on it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from loader.cli.options import in_workspace, json_option
from loader.cli.output import printable, show_error, show_json, to_json
from loader.exit_codes import worst

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loader.config import Workspace
    from loader.sync import Change, SyncReport


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Show what would be sent; send and record nothing.")
@json_option
@in_workspace
def sync(workspace: "Workspace", *, names: tuple[str, ...], dry_run: bool, as_json: bool) -> int:
    """Send what changed to destinations (--dry-run shows the diff).

    NAME is a sync of headwater.yml; without one, all of them run. A row that was refused or not
    reached is offered again by the next run.
    """
    from loader.sync import run_syncs

    reports = run_syncs(workspace, names, dry_run=dry_run)
    if as_json:
        show_json([as_document(report) for report in reports])
    else:
        for report in reports:
            click.echo(describe(report))
        if not reports:
            click.echo("no syncs: headwater.yml has none yet")
    for report in reports:
        if report.error:
            show_error(f"sync {report.name}: {report.error}")
    return worst([report.exit_code for report in reports])


def as_document(report: "SyncReport") -> dict[str, Any]:
    """A report for `--json`; an error as its text."""
    return {**asdict(report), "error": str(report.error) if report.error else None}


def describe(report: "SyncReport") -> str:
    """A report for a person: counts, then the first changes (dry run) and refusals."""
    found = f"{report.added:,} new, {report.changed:,} changed, {report.unchanged:,} unchanged"
    if report.diff is not None:
        lines = [f"{report.name}: would send {report.added + report.changed:,} rows ({found})"]
        lines += [_describe_change(change) for change in report.diff]
    else:
        sent = f"{report.delivered:,} delivered, {report.rejected:,} rejected"
        again = f"{report.retry:,} to retry"
        lines = [f"{report.name}: {sent}, {again} ({found}) in {report.seconds:.1f} s"]
    if report.invalid:
        lines.append(f"  {report.invalid:,} rows can't be sent as they are")
    for refusal in report.refusals:
        status = f"{refusal.status} " if refusal.status else ""
        reason = printable(refusal.reason or "")
        lines.append(f"  {refusal.outcome} {_describe_key(refusal.key)}: {status}{reason}")
    return "\n".join(lines)


def _describe_change(change: "Change") -> str:
    fields = ", ".join(
        f"{name} {to_json(now)}"
        if change.operation == "added"
        else f"{name} {to_json(before)} → {to_json(now)}"
        for name, (before, now) in change.fields.items()
    )
    sign = {"added": "+", "changed": "~"}.get(change.operation, change.operation)
    return printable(f"  {sign} {_describe_key(change.key)}: {fields}")


def _describe_key(key: "Mapping[str, Any]") -> str:
    return printable(", ".join(f"{name}={value}" for name, value in key.items()))
