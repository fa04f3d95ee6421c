"""How much that is new raw tables have room for, so that no flood of names wears them out.

What finds no room is kept in `_rescued`. The room is that of one load: what it did not fill in the
end, as a column whose every value was rescued, is free again in the next.
"""

from typing import Final

from loader.warehouse import MAX_COLUMNS, Catalog
from loader.warehouse.catalog import event_tables

_COLUMNS_A_TABLE: Final = 100  # on average: every command reads all names and types
_MAX_KEYS: Final = 100_000  # met for the first time in this load and remembered: half a KB each


class Room:
    """What may still be added, all tables together."""

    def __init__(self, catalog: Catalog, max_tables: int) -> None:
        self._max_tables = max_tables
        self._tables = max_tables - event_tables(catalog.tables)
        self._columns = _COLUMNS_A_TABLE * max_tables
        self._columns -= sum(len(table.field_ids) for table in catalog.tables.values())
        self._context = catalog.context
        self._keys = _MAX_KEYS
        self._turned_away = 0  # events that got no table
        self._example = ""  # the name of the first of them

    def take_table(self, event: str) -> bool:
        """Whether the track event called `event`, which has no table, may have one."""
        if self._tables > 0:
            self._tables -= 1
            return True
        self._turned_away += 1
        self._example = self._example or event
        return False

    def take_column(self, name: str) -> bool:
        """Whether a table may have the new column `name`."""
        is_shared = name.startswith("context_")
        if is_shared and name not in self._context and len(self._context) >= MAX_COLUMNS:
            return False
        self._columns -= 1
        return self._columns >= 0

    def take_key(self) -> bool:
        """Whether one more key is remembered; what is not is looked up each time it comes."""
        self._keys -= 1
        return self._keys >= 0

    def turned_away(self) -> list[str]:
        """What to tell of events that got no table of their own."""
        if not self._turned_away:
            return []
        return [
            f"{self._turned_away:,} events, such as {self._example!r}, have no table of their own: "
            f"{self._max_tables:,} events have one (limits.event_tables in headwater.yml); they "
            f"are in raw.tracks, their properties in its _rescued"
        ]
