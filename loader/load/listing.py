"""Violations to look at: counted by event and rule, or row by row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from loader.config import Workspace
from loader.load.kept_back import Selection, violations_found
from loader.warehouse import read_manifest

# Counted first, with nothing at hand but ids, which DuckDB can move to the disk; then an example is
# looked for of the few groups that are shown.
_COUNTED: Final = """
create temp table counted as
select
    name,
    rule,
    count(*) as events,
    min(first_seen_at) as first_seen_at,
    max(last_seen_at) as last_seen_at
from (
    select
        coalesce(name, '') as name,
        rule,
        message_id,
        min(received_at) as first_seen_at,
        max(received_at) as last_seen_at
    from found
    where ($is_all or is_open) and {condition}
    group by all
)
group by name, rule
order by events desc, last_seen_at desc, name, rule
limit $limit
"""
_SUMMARY: Final = """
select
    nullif(name, ''), rule, events, first_seen_at, last_seen_at, sources, unnest(example)
from (
    select
        coalesce(name, '') as name,
        rule,
        list_sort(list(distinct source_id)) as sources,
        arg_max(
            struct_pack(path, message, message_id, action), (received_at, message_id, path)
        ) as example
    from (
        select coalesce(name, '') as name, * exclude (name) from found
        where ($is_all or is_open) and {condition}
    )
    semi join counted using (name, rule)
    group by name, rule
)
join counted using (name, rule)
order by events desc, last_seen_at desc, name, rule
"""
_ROWS: Final = """
select
    load_id, received_at, source_id, message_id, name, path, rule, message, action, is_open, payload
from found
where ($is_all or is_open) and {condition}
order by received_at desc, message_id, load_id desc, path, rule
limit $limit
"""


@dataclass(frozen=True)
class ViolationGroup:
    """The violations of one rule by one kind of event, with the newest for an example.

    `event` is a track event's name, another call's type, or None where neither could be read.
    `events` counts messages, whatever the number of places where each broke the rule.
    """

    event: str | None
    rule: str
    events: int
    first_seen_at: datetime
    last_seen_at: datetime
    sources: list[str]
    path: str
    message: str
    message_id: str
    action: str


@dataclass(frozen=True)
class ViolationRow:
    """One row of raw.violations, and whether its event is still kept back for it."""

    load_id: int
    received_at: datetime
    source_id: str
    message_id: str
    event: str | None
    path: str
    rule: str
    message: str
    action: str
    is_open: bool
    payload: str  # JSON


def summarise_violations(
    workspace: Workspace, selection: Selection, *, is_all: bool, max_groups: int
) -> tuple[list[ViolationGroup], bool]:
    """The largest groups, and whether there are more.

    Of what is kept back now; with `is_all`, of all that was ever written and not expired.
    """
    found = _select(workspace, selection, (_COUNTED, _SUMMARY), max_groups, is_all=is_all)
    return [ViolationGroup(*row) for row in found[:max_groups]], len(found) > max_groups


def list_violations(
    workspace: Workspace, selection: Selection, *, is_all: bool, max_rows: int
) -> tuple[list[ViolationRow], bool]:
    """The same as single rows, the newest first."""
    found = _select(workspace, selection, (_ROWS,), max_rows, is_all=is_all)
    return [ViolationRow(*row) for row in found[:max_rows]], len(found) > max_rows


def _select(
    workspace: Workspace,
    selection: Selection,
    queries: Sequence[str],
    limit: int,
    *,
    is_all: bool,
) -> list[tuple[Any, ...]]:
    """The rows of the last query, one more than `limit` if there are more."""
    values = {**selection.values, "is_all": is_all, "limit": limit + 1}
    with violations_found(workspace, read_manifest(workspace), selection) as connection:
        for query in queries:
            used = {name: value for name, value in values.items() if f"${name}" in query}
            text = query.format(condition=selection.condition)
            connection.execute(text, used | selection.values)
        return connection.fetchall()
