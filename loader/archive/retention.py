"""Which days the archive keeps."""

import shutil
from datetime import date, datetime, timedelta

from loader.config import Workspace
from loader.durable import refused


def oldest_day(workspace: Workspace, today: date) -> date:
    """The first day that `retention.archive_days` keeps."""
    days = min(workspace.config.retention.archive_days, today.toordinal() - 1)
    return today - timedelta(days=days)


def remove_expired(workspace: Workspace, today: date) -> int:
    """Remove the days that are kept no longer; how many. Killed, the next call goes on with it."""
    oldest = oldest_day(workspace, today)
    days = workspace.archive.glob("_date=????-??-??")
    expired = [folder for folder in days if _day_of(folder.name) < oldest]
    for folder in expired:
        try:
            shutil.rmtree(folder)
        except OSError as problem:
            raise refused(folder, problem) from problem
    return len(expired)


def _day_of(name: str) -> date:
    return datetime.strptime(name, "_date=%Y-%m-%d").date()
