"""`headwater doctor`: what is missing, and how to get it."""

import dataclasses
from typing import Final

import click

from loader.cli.options import chosen_folder, json_option, workspace_option
from loader.cli.output import show_json
from loader.exit_codes import DONE, FAILED

_COLOURS: Final = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@json_option
@workspace_option
def doctor(*, as_json: bool) -> int:
    """Check what Headwater needs, and say how to get what is missing.

    Versions, config, contracts, disk, locks, the warehouse; nothing is changed.
    """
    from loader.doctor import examine

    checks = examine(chosen_folder())
    if as_json:
        show_json([dataclasses.asdict(check) for check in checks])
    else:
        for check in checks:
            state = click.style(f"{check.state:<4}", fg=_COLOURS[check.state])
            click.echo(f"{state}  {check.name}: {check.found}")
            if check.fix:
                click.echo(f"      Fix: {check.fix}")
    return FAILED if any(check.state == "fail" for check in checks) else DONE
