"""What loads brought, counted for alerts: read from what is committed, so that no kill loses it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import duckdb

from loader.alerts import MAX_GROUPS, AlertState, Broken, Counts, News
from loader.config import Workspace
from loader.event.naming import CALL_TABLES
from loader.load.accepted import archived_events
from loader.warehouse import LakeFile, Manifest, scan

_KNOWN_DAYS: Final = 3  # of receipt: enough for two times 24 full hours
_BROKEN: Final = """
select
    name,
    rule,
    count(*) as events,
    list_sort(list(distinct source_id)),
    min(received_at),
    max(received_at) as last_seen_at,
    unnest(arg_max(sample, (received_at, message_id))),
    sum(events) over ()
from (
    select
        coalesce(event, type, 'a line') as name,
        rule,
        message_id,
        any_value(source_id) as source_id,
        max(received_at) as received_at,
        arg_max(struct_pack(path, message, message_id), (received_at, path)) as sample
    from {violations}
    where load_id > $since
    group by all
)
group by name, rule
order by events desc, name, rule
limit $limit
"""
_VIOLATING: Final = """
select
    source_id,
    count(distinct message_id) filter (where action = 'block'),
    count(distinct message_id)
from {violations}
where load_id > $since and action in ('block', 'omit')
group by source_id
"""
_EVENTS: Final = """
select
    source_id,
    epoch(received_at)::bigint // 3600 as hour,
    count(*) filter (where load_id > $since),
    count(*) filter (where load_id > $counted)
from ({events})
group by source_id, hour
"""


class NewsReader:
    """Reads from the files that came since `state` was written; opens none that is older."""

    def __init__(self, workspace: Workspace, manifest: Manifest, state: AlertState) -> None:
        self._workspace = workspace
        self._manifest = manifest
        self._since = state.load_id
        self._counted = state.counted_load_id
        self._is_archive_read = workspace.config.warehouse.is_bigquery  # its calls are not here
        self._has_counts = any(
            alert.violation_rate is not None or alert.volume_change is not None
            for alert in workspace.config.contracts.alerts
        )

    def read(self, now: float) -> News:
        """All that was committed and is not in the state, as of `now` (Unix seconds)."""
        newest = self._manifest.next_load_id - 1
        violations, calls = self._violations(), self._calls(now) if self._has_counts else []
        if not (violations or calls or (self._has_counts and self._is_archive_read)):
            return News(newest, has_counts=self._has_counts)
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            broken, others = self._broken(connection, violations)
            loaded: dict[str, Counts] = {}
            received: dict[tuple[str, int], int] = {}
            if self._has_counts:
                loaded, received = self._count(connection, calls, now)
                for source, counts in self._violating(connection, violations).items():
                    events = loaded.get(source, Counts(0, 0)).events + counts.events
                    loaded[source] = Counts(events, counts.violating)
        return News(newest, broken, others, self._has_counts, loaded, received)

    def _violations(self) -> list[LakeFile]:
        files = self._manifest.files
        return [f for f in files if f.load_id > self._since and f.table_name == "violations"]

    def _calls(self, now: float) -> list[LakeFile]:
        """Files of all calls: of new loads, and of the days whose volume is not counted yet."""
        if self._is_archive_read:
            return []
        oldest = str(datetime.fromtimestamp(now, UTC).date() - timedelta(days=_KNOWN_DAYS))
        return [
            file
            for file in self._manifest.files
            if file.table_name in CALL_TABLES.values()
            and (
                file.load_id > self._since or (file.load_id > self._counted and file.date >= oldest)
            )
        ]

    def _broken(
        self, connection: duckdb.DuckDBPyConnection, files: Sequence[LakeFile]
    ) -> tuple[list[Broken], int]:
        """The largest groups, and how many events are in the others."""
        query = _BROKEN.format(violations=self._scan("violations", files))
        values = {"since": self._since, "limit": MAX_GROUPS}
        rows = connection.execute(query, values).fetchall()
        groups = [Broken(*row) for *row, _ in rows]
        total = int(rows[0][-1]) if rows else 0
        return groups, total - sum(group.count for group in groups)

    def _violating(
        self, connection: duckdb.DuckDBPyConnection, files: Sequence[LakeFile]
    ) -> dict[str, Counts]:
        """By source the events that are in no table of calls, and all that were no good."""
        query = _VIOLATING.format(violations=self._scan("violations", files))
        rows = connection.execute(query, {"since": self._since}).fetchall()
        return {source: Counts(blocked, violating) for source, blocked, violating in rows}

    def _count(
        self, connection: duckdb.DuckDBPyConnection, files: Sequence[LakeFile], now: float
    ) -> tuple[dict[str, Counts], dict[tuple[str, int], int]]:
        """Events newly loaded, by source; and those newly counted, by source and hour."""
        if self._is_archive_read:
            first = min(self._since, self._counted) + 1
            load_ids = range(first, self._manifest.next_load_id)
            events = archived_events(self._workspace, load_ids)
        else:
            events = " union all ".join(
                f"select source_id, received_at, load_id from {self._scan(table, files)}"
                for table in CALL_TABLES.values()
            )
        values = {"since": self._since, "counted": self._counted}
        loaded: dict[str, Counts] = {}
        received: dict[tuple[str, int], int] = {}
        rows = connection.execute(_EVENTS.format(events=events), values).fetchall()
        for source, hour, newly_loaded, newly_counted in rows:
            before = loaded.get(source, Counts(0, 0)).events
            loaded[source] = Counts(before + newly_loaded, 0)
            if newly_counted and 0 <= now // 3600 - hour <= 24 * _KNOWN_DAYS:
                received[source, hour] = newly_counted
        return loaded, received

    def _scan(self, table: str, files: Sequence[LakeFile]) -> str:
        own = [file for file in files if file.table_name == table]
        return scan(self._workspace, self._manifest.catalog, table, own)
