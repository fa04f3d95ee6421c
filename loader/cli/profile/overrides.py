"""`headwater profile overrides`: what was corrected so far."""

from typing import TYPE_CHECKING

import click

from loader.cli.options import in_workspace, json_option
from loader.cli.output import show_json
from loader.cli.profile.show import show_overrides

if TYPE_CHECKING:
    from loader.config import Workspace


@click.command()
@json_option
@in_workspace
def overrides(workspace: "Workspace", *, as_json: bool) -> None:
    """List the rows of identity_overrides.csv, and which of them the models hold."""
    from loader.profile import read_decisions

    found = read_decisions(workspace)
    if as_json:
        show_json(found)
    else:
        show_overrides(found)
