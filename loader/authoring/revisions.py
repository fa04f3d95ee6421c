"""Plans to compare: a folder of contracts, or what git has of it at some commit."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from loader.contracts import Contract, read_contracts
from loader.errors import ConfigError

_TIMEOUT_SECONDS: Final = 60
_FILE_MODE: Final = "100"  # a file as such, no link


def read_plan(name: str, schemas: Path | None) -> list[Contract]:
    """The contracts in the folder `name`, or in its schemas/; else those of `schemas` at a commit.

    ConfigError if `name` is neither a folder nor a commit that git knows in `schemas`.
    """
    folder = Path(name)
    if name and folder.is_dir():
        inner = folder / "schemas"
        return read_contracts(inner if inner.is_dir() else folder)
    if schemas is None:
        raise ConfigError(
            f"{name}: no such folder, and no workspace here whose history to look into",
            fix="name a folder of contracts, or give --schemas or --workspace beside a commit",
        )
    if not schemas.is_dir():
        raise ConfigError(f"{schemas}: no such folder", fix="check the path of --schemas")
    with tempfile.TemporaryDirectory(prefix="headwater-plan-") as place:
        for path, text in _files_at(name, schemas):
            file = Path(place, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text)
        try:
            return read_contracts(Path(place))
        except ConfigError as problem:
            message = problem.message.replace(f"{place}/", f"{name}:{schemas.name}/")
            raise ConfigError(message, fix=problem.fix) from problem


def _files_at(commit: str, folder: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """The JSON files that `folder` had at `commit`, none if it was not there; with their texts."""
    resolved = _git(folder, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}").strip()
    if not resolved:
        raise ConfigError(
            f"{commit}: neither a folder nor a commit that git knows in {folder}",
            fix="check the name; CI often has to fetch a branch before git knows it there",
        )
    tree = _git(folder, "rev-parse", "--verify", "--quiet", f"{resolved.decode()}:./").strip()
    if not tree:
        return
    for entry in _git(folder, "ls-tree", "-r", "-z", "--full-tree", tree.decode()).split(b"\0"):
        about, _, path = os.fsdecode(entry).partition("\t")
        if path.endswith(".json") and about.startswith(_FILE_MODE):
            yield PurePosixPath(path), _git(folder, "cat-file", "blob", about.split()[2])


def _git(folder: Path, *arguments: str) -> bytes:
    """What git prints; b"" where `--quiet` lets it say nothing."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        ended = subprocess.run(command, capture_output=True, check=False, timeout=_TIMEOUT_SECONDS)
    except FileNotFoundError as problem:
        raise ConfigError("git is not installed", fix="install it, or name folders") from problem
    complaint = ended.stderr.decode(errors="replace").strip()
    if ended.returncode and complaint:
        raise ConfigError(f"{folder}: {complaint}", fix="name a folder, or run this in a checkout")
    return ended.stdout
