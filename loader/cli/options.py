"""The options that several commands share, and the workspace that they lead to."""

from collections.abc import Callable
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loader.cli.output import note

if TYPE_CHECKING:
    from loader.config import Workspace

_FOLDER = "loader.cli.workspace"

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout, nothing else."
)


def _remember_folder(context: click.Context, _parameter: click.Parameter, folder: Any) -> None:
    if folder is not None:
        context.meta[_FOLDER] = folder


workspace_option = click.option(
    "--workspace",
    type=click.Path(path_type=Path),
    metavar="DIR",
    expose_value=False,
    callback=_remember_folder,
    help="The folder with headwater.yml (default: the nearest one at or above this folder).",
)


def chosen_folder() -> Path | None:
    """What --workspace named, before or after the command; None means the folder around us."""
    folder: Path | None = click.get_current_context().meta.get(_FOLDER)
    return folder


def in_workspace(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give `command` the workspace, mended, as its first argument, and the option to choose it."""

    def invoke(*arguments: Any, **options: Any) -> Any:
        return command(_open_mended(), *arguments, **options)

    return workspace_option(update_wrapper(invoke, command))


def in_plain_workspace(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a command that leaves the warehouse alone, and so doesn't mend it."""

    def invoke(*arguments: Any, **options: Any) -> Any:
        from loader.config import open_workspace

        return command(open_workspace(chosen_folder()), *arguments, **options)

    return workspace_option(update_wrapper(invoke, command))


def _open_mended() -> "Workspace":
    from loader.cli.arrow import start_without_pandas
    from loader.config import open_workspace

    start_without_pandas()
    from loader.warehouse import repair

    workspace = open_workspace(chosen_folder())
    for message in repair(workspace):
        note(message)
    return workspace
