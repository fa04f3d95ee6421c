"""`headwater compact`: fewer, larger files in the lake; columns of another type."""

from typing import TYPE_CHECKING, Any

import click

from loader.cli.options import in_workspace, json_option
from loader.cli.output import note, show_json

if TYPE_CHECKING:
    from loader.config import Workspace
    from loader.warehouse import CompactReport, RetypeReport


@click.command()
@click.argument("names", metavar="[TABLE]...", nargs=-1)
@click.option(
    "--retype",
    is_flag=True,
    help="Rewrite TABLE [COLUMN] with the types that its contract names today.",
)
@json_option
@in_workspace
def compact(workspace: "Workspace", *, names: tuple[str, ...], retype: bool, as_json: bool) -> None:
    """Merge the small files of past days; today's too, once there are a hundred of a table.

    Who reads meanwhile notices nothing, loads go on. `headwater run` does this by itself. With
    --retype: `headwater compact --retype TABLE [COLUMN]` gives columns the types that the contract
    names, or that fit all values; values come back from _rescued where they fit now.
    """
    if retype:
        _retype(workspace, names, as_json=as_json)
        return
    from loader.warehouse import compact as merge_files

    report = merge_files(workspace, names)
    if as_json:
        show_json(as_document(report))
    else:
        click.echo(describe(report))
    if workspace.config.warehouse.is_bigquery:
        note("BigQuery keeps its own tables in order; these are the logs that are kept here too")


def _retype(workspace: "Workspace", names: tuple[str, ...], *, as_json: bool) -> None:
    from loader.contracts import columns_named, read_contracts
    from loader.warehouse import repair
    from loader.warehouse import retype as retype_table

    if len(names) not in (1, 2):
        raise click.UsageError("--retype takes one table, or a table and one of its columns")
    table, column = (*names, None)[:2]
    contracts = [c for c in read_contracts(workspace.schemas) if c.table == table]
    wanted = {name: kind for contract in contracts for name, kind in columns_named(contract)}
    if workspace.config.warehouse.is_bigquery:
        from loader.warehouse.bigquery.retyping import retype_in_bigquery

        report = retype_in_bigquery(workspace, str(table), column, wanted)
    else:
        report = retype_table(workspace, str(table), column, wanted)
    messages = repair(workspace)
    if as_json:
        show_json(report.as_json())
    else:
        click.echo(_describe_retyped(report))
    for message in messages:
        note(message)
    if report.columns:
        note("models built before hold the old types: headwater transform -- --full-refresh")


def as_document(report: "CompactReport") -> dict[str, Any]:
    """A report for `--json`."""
    return report.as_json()


def describe(report: "CompactReport") -> str:
    """A compaction for a person, in a line."""
    if not report.files_before:
        return "nothing to compact"
    return (
        f"compacted {report.files_before:,} files into {report.files_after:,} in "
        f"{report.seconds:.1f} s: {report.rows:,} rows of {len(report.tables):,} tables, "
        f"{report.bytes_before / 1e6:,.1f} MB are {report.bytes_after / 1e6:,.1f} MB"
    )


def _describe_retyped(report: "RetypeReport") -> str:
    if not report.columns:
        return "nothing to retype: every value that fits its column is in it"
    lines = [f"retyped in {report.seconds:.1f} s:"]
    for found in report.columns:
        types = (
            found.new_type
            if found.old_type == found.new_type
            else (f"{found.old_type} is {found.new_type}")
        )
        lines.append(
            f"  {found.table_name}.{found.column_name}: {types}; {found.taken_back:,} values back "
            f"from _rescued, {found.rescued:,} moved there"
        )
    return "\n".join(lines)
