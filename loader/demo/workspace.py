"""The demo's workspace: a new one, with the invented shop's contracts, destination and syncs."""

import shutil
from pathlib import Path

from loader.config import Workspace
from loader.scaffold import create_workspace

OVERLAY = Path(__file__).parent / "overlay"
GUIDE_EVENTS = Path("events", "guide.ndjson")
_MARKER = "demo"


def make_workspace(folder: Path) -> Workspace:
    """A new workspace in `folder`, in place of an earlier demo's.

    Raises ConfigError if something else is there: only what a demo made is ever removed.
    """
    if (Workspace(folder).home / _MARKER).is_file():
        _clear(folder)
    workspace = create_workspace(folder)
    workspace.home.mkdir(exist_ok=True)
    (workspace.home / _MARKER).touch()
    shutil.copytree(OVERLAY, workspace.root, dirs_exist_ok=True)
    return workspace


def _clear(folder: Path) -> None:
    """Empty `folder`, the marker last, so that a clearing that was stopped can go on."""
    home = Workspace(folder).home
    marker = home / _MARKER
    for entry in (*folder.iterdir(), *home.iterdir()):
        if entry not in (home, marker):
            _remove(entry)
    _remove(home)


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()
