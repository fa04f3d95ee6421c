"""`headwater query`: a look into the warehouse."""

import csv
import sys
from typing import TYPE_CHECKING

import click

from loader.cli.options import in_workspace
from loader.cli.output import note, show_table, to_json

if TYPE_CHECKING:
    from loader.config import Workspace
    from loader.query import Result


@click.command()
@click.argument("sql")
@click.option(
    "--limit",
    "max_rows",
    type=click.IntRange(min=1),
    default=1_000,
    show_default=True,
    help="Print at most so many rows.",
)
@click.option("--json", "form", flag_value="json", help="Print a JSON array, an object a row.")
@click.option("--csv", "form", flag_value="csv", help="Print CSV with a header.")
@in_workspace
def query(workspace: "Workspace", sql: str, max_rows: int, form: str | None) -> None:
    """Run SQL on the warehouse, read-only ('-' reads it from stdin).

    Raw tables are raw.tracks, raw.order_completed and so on; marts go by their plain name, as in
    'select * from users'.
    """
    from loader.query import run_query

    statement = sys.stdin.read() if sql == "-" else sql
    result = run_query(workspace, statement, max_rows=max_rows)
    {"json": _print_json, "csv": _print_csv}.get(form or "", _print_table)(result)
    if result.is_cut:
        note(f"only the first {max_rows} rows; --limit gives more")


def _print_json(result: "Result") -> None:
    rows = (to_json(dict(zip(result.columns, row, strict=True))) for row in result.rows)
    click.echo("[" + ",\n ".join(rows) + "]")


def _print_csv(result: "Result") -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(result.columns)
    writer.writerows(result.rows)


def _print_table(result: "Result") -> None:
    show_table(result.columns, result.rows)
