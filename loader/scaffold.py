"""A new workspace, copied from the template that travels with the package."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from loader.config import Workspace
from loader.config.workspace import CONFIG_FILE
from loader.errors import ConfigError

_TEMPLATE: Final = ("schemas", "dbt_project", "dbt_project.yml", "profiles.yml", CONFIG_FILE)
_LEFT_BEHIND: Final = shutil.ignore_patterns("__pycache__", "target", "logs", ".*")
_GITIGNORE: Final = """\
# State and events: they stay on this machine.
.headwater/
target/
logs/
.user.yml
"""


def create_workspace(folder: Path) -> Workspace:
    """Write a new workspace to `folder`, which must be missing or empty.

    It appears whole or not at all: it is written beside `folder`, then renamed into place.
    """
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(
            f"{folder}: there is something here already; a workspace starts in an empty folder",
            fix="name a new folder, as in `headwater init my-data`",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write_template(draft)
        _move_into_place(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Workspace(folder.resolve())


def template_folder() -> Path:
    """Where the template lies: inside the wheel, or at the root of a development checkout."""
    package = Path(__file__).parent
    installed = package / "template"
    return installed if installed.is_dir() else package.parent


def _write_template(draft: Path) -> None:
    template = template_folder()
    for name in _TEMPLATE:
        if (template / name).is_dir():
            shutil.copytree(template / name, draft / name, ignore=_LEFT_BEHIND)
        else:
            shutil.copyfile(template / name, draft / name)
    (draft / ".gitignore").write_text(_GITIGNORE, encoding="utf-8")
    mask = os.umask(0)
    os.umask(mask)
    draft.chmod(0o777 & ~mask)  # mkdtemp made it private


def _move_into_place(draft: Path, folder: Path) -> None:
    if folder.exists() and folder.samefile(Path.cwd()):
        # Renaming over it would leave the caller's shell in a deleted folder. headwater.yml goes
        # last: without it this is no workspace.
        for entry in sorted(draft.iterdir(), key=lambda entry: entry.name == CONFIG_FILE):
            entry.rename(folder / entry.name)
    else:
        draft.rename(folder)
