"""`headwater demo`: the whole pipeline on invented events."""

from functools import partial
from pathlib import Path

import click

from loader.cli.options import json_option
from loader.cli.output import show_json


@click.command()
@click.argument(
    "folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path("headwater-demo")
)
@click.option("--seed", type=int, default=7, show_default=True, help="Same seed, same events.")
@click.option(
    "--events",
    type=click.IntRange(min=1),
    default=20_000,
    show_default=True,
    help="How many events to invent, beside the few written by hand.",
)
@json_option
def demo(*, folder: Path, seed: int, events: int, as_json: bool) -> None:
    """Generate events, load, transform, sync; show what came of it.

    The workspace stays in DIR (default: headwater-demo) for looking around.
    """
    from loader.demo import run_demo

    report = run_demo(folder, seed=seed, events=events, say=partial(click.echo, err=True))
    if as_json:
        show_json(report.as_json())
    else:
        click.echo(report.as_text())
