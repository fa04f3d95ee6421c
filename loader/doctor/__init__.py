"""Checks of the machine and the workspace: what is well, what is not, and what to do about it."""

from pathlib import Path

from loader.config import open_workspace
from loader.config.workspace import CONFIG_FILE
from loader.doctor.check import Check
from loader.doctor.machine import MACHINE_CHECKS
from loader.doctor.state import WORKSPACE_CHECKS
from loader.errors import LoaderError

__all__ = ["Check", "examine"]


def examine(folder: Path | None) -> list[Check]:
    """Every check, in order; nothing is changed. Without a workspace only the machine's."""
    checks = [found for look in MACHINE_CHECKS for found in look()]
    try:
        workspace = open_workspace(folder)
    except LoaderError as problem:
        return [*checks, Check.fail("config", problem.message, problem.fix)]
    checks.append(Check.ok("config", str(workspace.root / CONFIG_FILE)))
    return checks + [found for look in WORKSPACE_CHECKS for found in look(workspace)]
