"""Which contracts a command is about: the workspace's, or those of a folder by itself."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from loader.cli.options import chosen_folder
from loader.errors import ConfigError

if TYPE_CHECKING:
    from loader.config import Workspace

schemas_option = click.option(
    "--schemas",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder of contracts (default: schemas/ of the workspace); needs no workspace.",
)


def is_workspace_around(schemas: Path | None) -> bool:
    """Whether contracts were named, or a workspace was, or one is around this folder."""
    from loader.config import find_workspace

    is_named = schemas is not None or chosen_folder() is not None
    return is_named or find_workspace(Path.cwd()) is not None


def find_contracts(schemas: Path | None) -> tuple[Path, "Workspace | None"]:
    """The folder of contracts, and the workspace if one was named or is needed to find them."""
    from loader.config import open_workspace

    if schemas is None:
        workspace = open_workspace(chosen_folder())
        return workspace.schemas, workspace
    if not schemas.is_dir():
        raise ConfigError(f"--schemas {schemas}: no such folder", fix="check the path")
    return schemas, open_workspace(chosen_folder()) if chosen_folder() else None
