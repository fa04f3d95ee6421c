"""`headwater profile`: one person: who that is, why, and how to put it right."""

import click

from loader.cli.options import workspace_option
from loader.cli.profile.correct import block, merge, split
from loader.cli.profile.explain import explain
from loader.cli.profile.forget import forget
from loader.cli.profile.overrides import overrides
from loader.cli.profile.show import show

__all__ = ["profile"]


@click.group()
@workspace_option
def profile() -> None:
    """Show one person, explain why identifiers are one profile, correct it, forget it.

    An ID is an identifier, as type:value (email:ann@example.com) or the value alone, or a profile's
    segment_id, a former one too.
    """


for _command in (show, explain, split, merge, block, overrides, forget):
    profile.add_command(_command)
