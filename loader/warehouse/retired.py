"""Files that a compaction replaced: there for whoever still reads them, then gone.

A query lists the versions, then the lake, and opens what it found there while it runs. So a file
that is no longer listed goes in four steps. For ten minutes it stays as it is, since a query that
has just read the version before will look for it. Then its name becomes a symbolic link to its
content: views don't list links, so no new query comes upon it, while one that has listed it still
opens it. An hour later the content is removed, and nobody can miss it. The link goes last, ten
minutes on: DuckDB looks whether an entry leads somewhere, then whether it is a link, and must not
find it gone in between.
"""

import os
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from loader.config import Workspace
from loader.durable import refused
from loader.locks import holder_of
from loader.warehouse.manifest import Manifest, RetiredFile, read_manifest_file

_LISTED_SECONDS: Final = 600
_KEPT_SECONDS: Final = 3600
_DANGLING_SECONDS: Final = 600
_GONE: Final = ".gone"  # marks a link whose content was removed


def tidy_retired(workspace: Workspace, manifest: Manifest, now: datetime) -> None:
    """Take each retired file a step further if its time has come; call under load.lock.

    Those that views no longer list leave `manifest.retired`, to be committed with the next change;
    forgetting to do so does no harm. While a transform is at work all stay listed, for its views
    show an old version from beginning to end. Raises StorageError if the disk refuses.
    """
    try:
        if manifest.retired and holder_of(workspace.home / "transform.lock") is None:
            listed_since = now.timestamp() - _LISTED_SECONDS
            due = [retired for retired in manifest.retired if retired.at <= listed_since]
            if due and not _end_epochs_that_show(workspace, manifest, due):
                for retired in due:
                    _hide(workspace, retired, now)
                manifest.retired = [kept for kept in manifest.retired if kept.at > listed_since]
        if workspace.retired.is_dir():
            _remove_expired(workspace, now)
    except OSError as problem:
        raise refused(workspace.retired, problem) from problem


def _hide(workspace: Workspace, retired: RetiredFile, now: datetime) -> None:
    """Let its name be a link to its content, if it isn't that or gone already."""
    path = workspace.lake / retired.file
    if path.is_symlink() or not path.exists():
        return
    kept = workspace.retired / retired.file
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.unlink(missing_ok=True)  # of a time before, which was killed half-way
    kept.hardlink_to(path)
    link = workspace.home / ".retired.tmp"
    link.unlink(missing_ok=True)
    link.symlink_to(os.path.relpath(kept, path.parent))
    os.utime(link, (now.timestamp(), now.timestamp()), follow_symlinks=False)
    link.replace(path)


def _remove_expired(workspace: Workspace, now: datetime) -> None:
    for kept in [path for path in workspace.retired.rglob("*") if path.is_file()]:
        name = str(kept.relative_to(workspace.retired)).removesuffix(_GONE)
        path = workspace.lake / name
        is_link = path.is_symlink()
        age_seconds = now.timestamp() - path.lstat().st_mtime if is_link else 0.0
        if kept.suffix == _GONE:
            if is_link and age_seconds >= _DANGLING_SECONDS and not path.exists():
                path.unlink()
            if not path.is_symlink():
                kept.unlink()
        elif is_link and age_seconds >= _KEPT_SECONDS:
            os.utime(path, (now.timestamp(), now.timestamp()), follow_symlinks=False)
            kept.with_name(f"{kept.name}{_GONE}").touch()
            kept.unlink()
    if not any(path.is_file() for path in workspace.retired.rglob("*")):
        shutil.rmtree(workspace.retired)


def _end_epochs_that_show(
    workspace: Workspace, manifest: Manifest, retired: Sequence[RetiredFile]
) -> bool:
    """Let views of an older epoch that need such a file fail from now on, rather than show a part.

    Whether there were any: then a query may just have read one's version.
    """
    names = {found.file for found in retired}
    ended = False
    for epoch in list(workspace.versions.iterdir()):
        newest = min(epoch.iterdir(), default=None)
        if newest is None or epoch.name == str(manifest.epoch):
            continue
        if not names.isdisjoint(file.file for file in read_manifest_file(newest).files):
            shutil.rmtree(epoch)
            ended = True
    return ended


def remove_retired(workspace: Workspace, manifest: Manifest) -> int:
    """Remove every retired file now, whoever reads it; how many there were. Call under load.lock.

    Views of an older epoch that need one fail from now on, rather than show a part.
    """
    try:
        if manifest.retired and workspace.versions.is_dir():
            _end_epochs_that_show(workspace, manifest, manifest.retired)
        paths = [workspace.lake / retired.file for retired in manifest.retired]
        paths += [path for path in workspace.lake.rglob("*") if path.is_symlink()]
        found = [path for path in dict.fromkeys(paths) if path.is_symlink() or path.exists()]
        for path in found:
            path.unlink()
        shutil.rmtree(workspace.retired, ignore_errors=True)
    except OSError as problem:
        raise refused(workspace.retired, problem) from problem
    return len(found)


def retired_bytes(workspace: Workspace, manifest: Manifest) -> int:
    """What retired files still take of the disk."""
    paths: list[Path] = [workspace.lake / retired.file for retired in manifest.retired]
    paths += workspace.retired.rglob("*")
    return sum(p.stat().st_size for p in paths if p.is_file() and not p.is_symlink())
