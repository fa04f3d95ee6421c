"""Alerts: who is told, and how often, that events broke their contracts."""

from loader.alerts.news import MAX_GROUPS, Broken, Counts, News
from loader.alerts.state import AlertState, erase_messages, read_state, write_state
from loader.alerts.tell import tell

__all__ = [
    "MAX_GROUPS",
    "AlertState",
    "Broken",
    "Counts",
    "News",
    "erase_messages",
    "read_state",
    "tell",
    "write_state",
]
