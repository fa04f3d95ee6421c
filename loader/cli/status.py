"""`headwater status`: what the workspace holds."""

from typing import TYPE_CHECKING, Any

import click

from loader.cli.options import in_workspace, json_option
from loader.cli.output import note, show_json, show_table

if TYPE_CHECKING:
    from datetime import datetime

    from loader.config import Workspace
    from loader.spool import SpoolLag
    from loader.status import Status


@click.command()
@json_option
@in_workspace
def status(workspace: "Workspace", *, as_json: bool) -> None:
    """Show the spool, tables, loads, violations, the last transform and syncs.

    On BigQuery also the bytes that the last runs let it read.
    """
    from loader.status import read_status

    found = read_status(workspace)
    if as_json:
        show_json(found.as_json())
    else:
        _show(found)
    for told in found.notes:
        note(told)


def _show(found: "Status") -> None:
    click.echo(
        f"{found.workspace}: {found.lake_files:,} files, {found.lake_bytes / 1e6:,.1f} MB"
        + (f"; {found.files_to_compact:,} to compact" if found.files_to_compact else "")
        + (f"; {found.retired_bytes / 1e6:,.1f} MB retired" if found.retired_bytes else "")
    )
    click.echo(_describe(found.spool))
    if found.outbox:
        since = _short(found.outbox.shipped_at) or "never"
        click.echo(f"to BigQuery: {found.outbox.waiting_rows:,} rows wait; last shipped: {since}")
    click.echo()
    tables = [(t.name, f"{t.rows:,}", _short(t.newest_received_at)) for t in found.tables]
    show_table(("raw table", "rows", "newest received"), tables)
    loads = [(load.load_id, _short(load.committed_at), f"{load.rows:,}") for load in found.loads]
    show_table(("load", "committed", "rows"), loads)
    broken = [(rule, f"{count:,}") for rule, count in found.violations.items()]
    show_table(("broken rule", "violations"), broken)
    if found.transform:
        results = ", ".join(f"{count} {word}" for word, count in found.transform.results.items())
        click.echo(f"last transform: {found.transform.ended_at}: {results}")
    else:
        click.echo("last transform: none yet; run `headwater transform`")
    syncs = [
        (s.name, s.state, _short(s.finished_at), s.delivered, s.rejected, s.retry, s.error)
        for s in found.syncs
    ]
    if syncs:
        show_table(
            ("sync", "state", "finished", "delivered", "rejected", "to retry", "error"), syncs
        )
    if found.bytes:
        read = [
            (
                run.command,
                _short(run.ended_at),
                _megabytes(run.bytes_processed),
                _megabytes(run.bytes_billed),
            )
            for run in found.bytes
        ]
        show_table(("last run", "ended", "MB read by BigQuery", "MB billed"), read)


def _describe(spool: "SpoolLag") -> str:
    workers = ", ".join(map(str, spool.workers))
    collector = f"collector at work (process {workers})" if workers else "no collector at work"
    segments = spool.sealed_segments + spool.open_segments
    if not segments:
        return f"spool: empty; {collector}"
    since = f", oldest {_short(spool.oldest_received_at)} ({spool.age_seconds:,.0f} s ago)"
    return (
        f"spool: {spool.bytes / 1e6:,.1f} MB to load in {segments:,} segments"
        f" ({spool.open_segments:,} open){since if spool.oldest_received_at else ''}; {collector}"
    )


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f}"


def _short(moment: "datetime | None") -> Any:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""
