"""The command group: what is listed by `headwater --help`, in the order data flows."""

import os
from typing import Any

import click

from loader.cli.collect import collect
from loader.cli.compact import compact
from loader.cli.contracts import contracts
from loader.cli.demo import demo
from loader.cli.doctor import doctor
from loader.cli.init import init
from loader.cli.load import load
from loader.cli.options import workspace_option
from loader.cli.profile import profile
from loader.cli.query import query
from loader.cli.run import run
from loader.cli.status import status
from loader.cli.sync import sync
from loader.cli.transform import transform
from loader.cli.violations import violations

_EPILOG = (
    "Exit codes: 0 all done · 1 failed · 2 wrong usage or config · 3 done, some rows newly rejected"
)


class _Stages(click.Group):
    """A group that lists its commands in the order they were added, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self.commands)


def _show_version(context: click.Context, _parameter: click.Parameter, wanted: Any) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            number = version("headwater")
        except PackageNotFoundError:
            number = "from a checkout"
        click.echo(f"headwater {number}")
        context.exit()


def _turn_debug_on(_context: click.Context, _parameter: click.Parameter, wanted: Any) -> None:
    if wanted:  # in the environment, so that child processes see it too
        os.environ["HEADWATER_DEBUG"] = "1"


@click.group(
    cls=_Stages,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@workspace_option
@click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    callback=_turn_debug_on,
    help="Show tracebacks with errors (as HEADWATER_DEBUG=1 does).",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_version,
    help="Show the version and exit.",
)
def headwater() -> None:
    """Collect events, load them into your warehouse, model them, sync them to your tools."""


for _command in (
    init,
    demo,
    collect,
    load,
    transform,
    sync,
    run,
    compact,
    contracts,
    violations,
    profile,
    status,
    query,
    doctor,
):
    headwater.add_command(_command)
