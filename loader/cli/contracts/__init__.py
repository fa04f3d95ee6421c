"""`headwater contracts`: write contracts, check them, and see what a change of them breaks."""

import click

from loader.cli.contracts.add import add
from loader.cli.contracts.check import check
from loader.cli.contracts.diff import diff
from loader.cli.contracts.infer import infer
from loader.cli.options import workspace_option

__all__ = ["contracts"]


@click.group()
@workspace_option
def contracts() -> None:
    """Check and compare contracts, draft them from data, take them from a library."""


for _command in (check, diff, infer, add):
    contracts.add_command(_command)
