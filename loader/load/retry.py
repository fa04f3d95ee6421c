"""What was kept back, judged once more: for when a contract was mended.

It is a load like any other, only that its input is raw.violations. What is loaded is in the tables
of calls from the commit on, and by that no longer kept back; what still fails stays where it is.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from typing import Any, Final

from duckdb import DuckDBPyConnection

from loader.config import Workspace
from loader.contracts import read_contracts
from loader.errors import ConfigError
from loader.event.envelope import Rejection, normalise
from loader.event.parsing import NOT_JSON, parse, why_not_json
from loader.event.values import parse_moment
from loader.load.intake import Block, Candidate, Intake, Request
from loader.load.kept_back import Selection, scan_table, violations_found
from loader.load.load import conclude, load_lock
from loader.load.report import LoadReport
from loader.load.transaction import Load

# What breaks one of these rules no contract can mend, and the payload is not all of the event.
_UNMENDABLE: Final = ("malformed", "no_identity", "no_event", "too_large", "unknown_write_key")
_BATCH_EVENTS: Final = 2_000

_WANTED: Final = """
create temp table wanted as
select message_id, load_id from kept_back
semi join (select message_id from found where is_open and {condition}) using (message_id)
"""
_ROWS: Final = """
select message_id, load_id, source_id, received_at, payload, rule, path
from {violations}
semi join wanted using (message_id, load_id)
where action = 'block'
"""
_Row = tuple[str, int, str, datetime, str, str, str]


@dataclass
class RetryReport(LoadReport):
    """What became of the events that were kept back.

    `blocked` counts all that stay so, `newly_blocked` those of them that now break other rules
    than before; `duplicates` are those whose id was loaded in the meantime.
    """

    newly_blocked: int = 0


def retry_violations(workspace: Workspace, selection: Selection) -> RetryReport:
    """Judge what is kept back by the contracts of now, and load what passes, in one commit.

    Durable when it returns. An event keeps its id, source, time of receipt and values; it goes
    through privacy, enrichment, transformations and middleware as they are now. Raises ConfigError
    for a bad contract, Busy while a load runs, StorageError if the disk refuses; then nothing has
    changed.
    """
    started = time.monotonic()
    _check_memory(workspace)
    contracts = read_contracts(workspace.schemas)
    with load_lock(workspace) as manifest, _Retry(workspace, manifest, contracts, None) as retry:
        with violations_found(workspace, manifest, selection) as connection:
            retry.take_kept_back(connection, selection)
        retry.commit()
    conclude(workspace, retry.report, started)
    return retry.report


def _check_memory(workspace: Workspace) -> None:
    """With BigQuery the archive tells what was loaded since, so it must not forget before."""
    kept = workspace.config.retention
    if workspace.config.warehouse.is_bigquery and kept.archive_days < kept.violations_days:
        raise ConfigError(
            f"violations retry: retention.archive_days is {kept.archive_days}, violations_days is "
            f"{kept.violations_days}: what was loaded since may be forgotten and would come twice",
            fix="keep the archive at least as long as violations",
        )


class _Retry(Load):
    """A load whose input is what was kept back."""

    report: RetryReport

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.report = RetryReport()
        self._unmendable = 0

    def take_kept_back(self, connection: DuckDBPyConnection, selection: Selection) -> None:
        """Take what `violations_found` found of the selection, in the order of its first arrival.

        One row after the other comes from the files, so it does not matter how many there are.
        """
        connection.execute(_WANTED.format(condition=selection.condition), selection.values)
        self._take(self._feed.scan(self._read_kept_back(connection)))
        self.report.events_in += self._unmendable
        self.report.blocked += self._unmendable
        self._flush(everything=True)

    def _read_kept_back(self, connection: DuckDBPyConnection) -> Iterator[Block]:
        events = self._events(self._rows_of(connection))
        while some := list(islice(events, _BATCH_EVENTS)):
            texts = [event.payload for event in some]
            yield Block(texts, list(some), list(range(len(some))), [])

    def _rows_of(self, connection: DuckDBPyConnection) -> Iterator[_Row]:
        violations = scan_table(self._workspace, self._manifest, "violations")
        connection.execute("set threads = 1")  # several would hand rows out of order
        found = connection.execute(_ROWS.format(violations=violations))
        while rows := found.fetchmany(_BATCH_EVENTS):
            yield from rows

    def _events(self, rows: Iterator[_Row]) -> Iterator["_Blocked"]:
        """The events that may be mended; an event has a row for each rule that it broke."""
        for _, of_event in groupby(rows, key=lambda row: row[:2]):
            broken = list(of_event)
            if any(rule in _UNMENDABLE for *_, rule, _ in broken):
                self._unmendable += 1
            else:
                message_id, _, source, received_at, payload, *_ = broken[0]
                reasons = frozenset(f"{rule} {path}" for *_, rule, path in broken)
                yield _Blocked(
                    id=message_id,
                    source=source,
                    received_at=received_at,
                    payload=payload.encode(),
                    reasons=reasons,
                )

    def _count_blocked(self, new: int, repeated: int) -> None:
        self.report.newly_blocked += new
        self.report.blocked += new + repeated

    def _new_intake(self, source: str | None) -> Intake:
        return _KeptBack(self._workspace.config, source, self._judge.privacy)

    def _may_use_kernel(self) -> bool:
        return False  # it reads events as they come, not as they were kept


@dataclass(frozen=True, kw_only=True, slots=True)
class _Blocked(Request):
    """An event of raw.violations: `id` is its message's, `reasons` are rules and places."""

    source: str
    received_at: datetime
    payload: bytes
    reasons: frozenset[str]


class _KeptBack(Intake):
    """Turns payloads into the candidates that they were when they were blocked."""

    def candidate(self, block: Block, index: int) -> Candidate:
        """The event at `index` of `block`, whose requests are `_Blocked`."""
        kept = block.requests[block.owners[index]]
        assert isinstance(kept, _Blocked)  # noqa: S101 - take_kept_back made them
        try:
            event, text = parse(kept.payload)
        except NOT_JSON as problem:
            event, text, why = None, kept.payload, why_not_json(kept.payload, problem)
        else:
            why = Rejection("malformed", "$", "its payload is not an event")
        candidate = Candidate(kept.id, kept.source, text=text, blocked_for=kept.reasons)
        if type(event) is not dict:
            candidate.rejection = why
            return candidate
        candidate.text = self._privacy.clean(event, text)
        candidate.event = event
        candidate.rejection = normalise(event, candidate.rescued)
        _restore(candidate, "messageId", kept.id)
        if parse_moment(event.get("receivedAt")) is None:
            _restore(candidate, "receivedAt", kept.received_at.isoformat())
        return candidate


def _restore(candidate: Candidate, field: str, value: str) -> None:
    """Give the event the value that its first load gave it; what it says itself is kept."""
    stated = candidate.event.get(field)
    if stated and stated != value:
        candidate.rescued[f"/{field}"] = stated
    candidate.event[field] = value
