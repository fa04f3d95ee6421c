"""Loading: events from files or standard input, checked, deduplicated, into raw tables."""

from loader.load.load import load_files
from loader.load.report import LoadReport

__all__ = ["LoadReport", "load_files"]
