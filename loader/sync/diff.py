"""What a sync has to send: the marts against what the destination accepted."""

from collections.abc import Iterator, Sequence
from typing import Any

from duckdb import DuckDBPyConnection

from loader.config import SyncConfig
from loader.delivery import Batch
from loader.protocol import Row, decode_json
from loader.sync.marts import Marts
from loader.sync.relation import find_source
from loader.sync.report import Change, Refusal, SyncReport
from loader.warehouse.views import text

_FETCHED_ROWS = 1_000

# A row that the marts can't identify is never sent: not the one without key, none of those that
# share one, since which of them is right can't be known.
_STAGE = """
create temp table invalid as
select
    key,
    case
        when null_key is not null then concat('key field ', null_key, ' is null')
        else concat(copies, ' rows have this key, wanted one')
    end as reason,
    sha256(concat({name}, chr(10), key, fields))[:32] as message_id
from candidates
where null_key is not null or copies > 1;

create temp table pending as
select row_number() over () - 1 as position, *
from (
    select
        case when differing.version = 1 then 'added' else 'changed' end as operation,
        differing.key,
        differing.fields,
        differing.fields_hash,
        differing.version,
        accepted.fields as accepted_fields,
        sha256(
            concat({name}, chr(10), differing.version, chr(10), differing.key, differing.fields)
        )[:32] as message_id
    from (
        select
            candidates.key,
            candidates.fields,
            md5_number(candidates.fields) as fields_hash,
            coalesce(accepted.version, 0) + 1 as version
        from candidates
        left join state.accepted as accepted on accepted.key = candidates.key
        where candidates.null_key is null
            and candidates.copies = 1
            and accepted.fields_hash is distinct from md5_number(candidates.fields)
    ) as differing
    left join state.accepted as accepted on accepted.key = differing.key
    order by differing.key
)
"""
_COUNT = """
select
    (select count(*) from invalid),
    count(*) filter (operation = 'added'),
    count(*) filter (operation = 'changed')
from pending
"""


def stage(
    connection: DuckDBPyConnection, marts: Marts, sync: SyncConfig, report: SyncReport
) -> None:
    """Fill the temporary tables `pending` (in key order) and `invalid`, and count in `report`.

    A row's version counts what was accepted for its key, so that a change back to old values gets
    a message_id of its own.
    """
    total = marts.find(find_source(marts, report.name, sync))
    connection.execute(_STAGE.format(name=text(report.name)))
    counts = connection.execute(_COUNT).fetchone() or (0, 0, 0)
    report.invalid, report.added, report.changed = counts
    report.unchanged = total - report.invalid - report.added - report.changed


def read_batches(connection: DuckDBPyConnection, name: str, max_rows: int) -> Iterator[Batch]:
    """The pending rows in key order, at most `max_rows` a batch; few are in memory at a time."""
    step = max(_FETCHED_ROWS // max_rows, 1) * max_rows
    position = 0
    while found := _pending(connection, position, step):
        rows = [_row(name, pending) for pending in found]
        for start in range(0, len(rows), max_rows):
            yield Batch(position + start, rows[start : start + max_rows])
        position += step


def sample_changes(connection: DuckDBPyConnection, limit: int) -> list[Change]:
    """The first changes, field by field."""
    changes = []
    for operation, key, fields, accepted, _ in _pending(connection, 0, limit):
        new, old = decode_json(fields), decode_json(accepted or "{}")
        changed = {field: (old.get(field), new[field]) for field in _changed(new, old)}
        changes.append(Change(operation, decode_json(key), changed))
    return changes


def sample_invalid(connection: DuckDBPyConnection, limit: int) -> list[Refusal]:
    """The first rows that can't be sent, with the reason."""
    found = connection.execute(
        "select key, reason from invalid order by key, message_id limit ?", [limit]
    )
    return [Refusal(decode_json(key), "invalid", reason) for key, reason in found.fetchall()]


def _pending(connection: DuckDBPyConnection, position: int, count: int) -> list[tuple[Any, ...]]:
    return connection.execute(
        "select operation, key, fields, accepted_fields, message_id from pending "
        "where position >= ? and position < ? order by position",
        [position, position + count],
    ).fetchall()


def _row(name: str, pending: tuple[Any, ...]) -> Row:
    operation, key, fields, accepted, message_id = pending
    new = decode_json(fields)
    return Row(
        sync=name,
        operation=operation,
        key=decode_json(key),
        fields=new,
        changed=_changed(new, decode_json(accepted or "{}")),
        message_id=message_id,
    )


def _changed(new: dict[str, Any], old: dict[str, Any]) -> Sequence[str]:
    return [field for field in new if field not in old or old[field] != new[field]]
