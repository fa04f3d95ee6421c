"""The archive: accepted events as they came, by day, the source of forwarding and replay."""

from loader.archive.erasing import count_events, erase_events, find_events
from loader.archive.reader import (
    Archived,
    ArchivedLoad,
    archived_loads,
    read_archive,
    whole_event,
)
from loader.archive.retention import oldest_day, remove_expired
from loader.archive.writer import ArchiveWriter, shared_json, without_write_key

__all__ = [
    "ArchiveWriter",
    "Archived",
    "ArchivedLoad",
    "archived_loads",
    "count_events",
    "erase_events",
    "find_events",
    "oldest_day",
    "read_archive",
    "remove_expired",
    "shared_json",
    "whole_event",
    "without_write_key",
]
