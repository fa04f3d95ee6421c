"""`headwater collect`: the HTTP API that Segment's SDKs send to."""

from typing import TYPE_CHECKING

import click

from loader.cli.options import in_plain_workspace

if TYPE_CHECKING:
    from loader.config import Workspace


@click.command()
@click.option("--host", metavar="ADDRESS", help="Where to listen (default: collector.host).")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    metavar="NUMBER",
    help="0 takes any free one (default: collector.port).",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    metavar="NUMBER",
    help="Processes that share the port (default: collector.workers).",
)
@in_plain_workspace
def collect(
    workspace: "Workspace", *, host: str | None, port: int | None, workers: int | None
) -> None:
    """Serve the Segment HTTP API and spool what arrives, until stopped.

    An event is acknowledged once it is on the disk; `headwater load` takes it from there. SIGTERM
    and SIGINT let open requests finish.
    """
    from loader.collector import collect as serve

    chosen = workspace.config.collector
    serve(
        workspace,
        host=host or chosen.host,
        port=chosen.port if port is None else port,
        workers=workers or chosen.workers,
    )
