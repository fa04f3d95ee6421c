"""`headwater transform`: models built from raw tables."""

import sys
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from loader.cli.options import in_workspace, json_option
from loader.cli.output import note, show_json

if TYPE_CHECKING:
    from loader.config import Workspace
    from loader.transform import TransformReport


@click.command()
@click.option(
    "--as-of",
    type=datetime.fromisoformat,
    metavar="TIME",
    help="The moment that models take for now, as in 2025-03-04T10:00:00Z (default: the start).",
)
@json_option
@click.argument("arguments", metavar="[-- DBT_ARGUMENT...]", nargs=-1)
@in_workspace
def transform(
    workspace: "Workspace", *, as_of: datetime | None, arguments: tuple[str, ...], as_json: bool
) -> None:
    """Build users, groups, traits and audiences with dbt.

    Readers of the warehouse are not disturbed: the result takes the old one's place at the end, and
    only if no model and no test failed. On BigQuery each table takes the old one's place by itself.
    """
    from loader.transform import transform as build_models

    say = partial(click.echo, err=True) if sys.stderr.isatty() else None
    report = build_models(workspace, as_of=as_of, arguments=arguments, say=say)
    if as_json:
        show_json(as_document(report))
    else:
        click.echo(describe(report))
    for message in report.messages:
        note(message)


def as_document(report: "TransformReport") -> dict[str, Any]:
    """A report for `--json`."""
    return asdict(report)


def describe(report: "TransformReport") -> str:
    """A transform for a person: what dbt counted, then its warnings."""
    counts = ", ".join(f"{count} {status}" for status, count in sorted(report.counts.items()))
    lines = [f"models and tests built in {report.seconds:.0f} s: {counts or 'nothing selected'}"]
    if report.bytes_processed is not None:
        billed = (
            "" if report.bytes_billed is None else f", billed {report.bytes_billed / 1e6:,.1f} MB"
        )
        lines.append(f"  BigQuery processed {report.bytes_processed / 1e6:,.1f} MB{billed}")
    return "\n".join([*lines, *(f"  warning: {result}" for result in report.warnings)])
