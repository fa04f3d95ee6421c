"""Loading: events from files or standard input, checked, deduplicated, into raw tables."""

from loader.load.kept_back import Selection
from loader.load.listing import (
    ViolationGroup,
    ViolationRow,
    list_violations,
    summarise_violations,
)
from loader.load.load import load_files
from loader.load.rebuild import RebuildReport, rebuild_table
from loader.load.report import LoadReport
from loader.load.retry import RetryReport, retry_violations

__all__ = [
    "LoadReport",
    "RebuildReport",
    "RetryReport",
    "Selection",
    "ViolationGroup",
    "ViolationRow",
    "list_violations",
    "load_files",
    "rebuild_table",
    "retry_violations",
    "summarise_violations",
]
