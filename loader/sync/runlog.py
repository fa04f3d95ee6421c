"""Records a run of a sync in its state file: outcomes, what was accepted, and the counts."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from uuid import uuid4

import duckdb
from duckdb import DuckDBPyConnection

from loader.delivery import Batch, Clock
from loader.protocol import Outcome, decode_json
from loader.sync.report import MAX_SAMPLES, Refusal, SyncReport

_log = logging.getLogger(__name__)

_START = """
insert into state.runs by name
select $run_id as run_id, $now as started_at,
    $added as added, $changed as changed, $unchanged as unchanged, $invalid as invalid
"""
_RECORD_INVALID = """
insert into state.outcomes by name
select $run_id as run_id, message_id, key, 'invalid' as outcome, reason, $now as recorded_at
from invalid
"""
_FINISHED = """
create or replace temp table finished as
select pending.*, answer.outcome, answer.status, answer.reason, $run_id as run_id, $now as now
from (
    select
        unnest($positions::bigint[]) as position,
        unnest($outcomes::varchar[]) as outcome,
        unnest($statuses::integer[]) as status,
        unnest($reasons::varchar[]) as reason
) as answer
join (select * from pending where position between $first and $last) as pending
    on pending.position = answer.position
"""
_RECORD = """
insert into state.outcomes
select run_id, message_id, key, operation, outcome, status, reason, now from finished;

delete from state.accepted
where key in (select key from finished where operation = 'changed' and outcome = 'delivered');

insert into state.accepted
select key, fields, fields_hash, version, now from finished where outcome = 'delivered';
"""
_REFUSED = """
select key, outcome, reason, status from finished where outcome <> 'delivered' order by position
limit ?
"""
_NEWLY_REFUSED = """
select count(*) from state.outcomes as refused
where run_id = $run_id and outcome in ('rejected', 'invalid') and not exists (
    select 1 from state.outcomes as before
    where before.run_id <> $run_id
        and before.message_id = refused.message_id
        and before.outcome = refused.outcome
)
"""
_FINISH = """
update state.runs
set finished_at = $now, delivered = $delivered, rejected = $rejected, retry = $retry, error = $error
where run_id = $run_id
"""


class RunLog:
    """One run: takes outcomes as they come and makes them durable by the `flush_rows`."""

    def __init__(
        self, connection: DuckDBPyConnection, report: SyncReport, clock: Clock, flush_rows: int
    ) -> None:
        self._connection = connection
        self._report = report
        self._clock = clock
        self._flush_rows = flush_rows
        self._waiting: list[tuple[int, Outcome]] = []
        self._run_id = f"{self._now():%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}"

    def start(self) -> None:
        """Record that the run began, and the rows that it can't send."""
        report, stamp = self._report, {"run_id": self._run_id, "now": self._now()}
        report.retry = report.added + report.changed  # until they are answered
        counts = {name: getattr(report, name) for name in ("added", "changed", "unchanged")}
        with _transaction(self._connection):
            self._connection.execute(_START, {**stamp, **counts, "invalid": report.invalid})
            self._connection.execute(_RECORD_INVALID, stamp)

    def add(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        """Take the outcomes of a batch, one a row; durable once `flush_rows` have come."""
        self._waiting.extend(enumerate(outcomes, batch.position))
        if len(self._waiting) >= self._flush_rows:
            self.flush()

    def flush(self) -> None:
        """Make what has come durable: every outcome, and the delivered rows as accepted."""
        if not self._waiting:
            return
        places = [position for position, _ in self._waiting]
        outcomes = [outcome for _, outcome in self._waiting]
        answers = {
            "run_id": self._run_id,
            "now": self._now(),
            "positions": places,
            "outcomes": [outcome.kind for outcome in outcomes],
            "statuses": [outcome.status for outcome in outcomes],
            "reasons": [outcome.reason for outcome in outcomes],
            "first": min(places),
            "last": max(places),
        }
        with _transaction(self._connection):
            self._connection.execute(_FINISHED, answers)
            self._connection.execute(_RECORD)
        self._waiting.clear()
        self._count(Counter(outcome.kind for outcome in outcomes))

    def finish(self) -> None:
        """Record the counts of the report, and count in it what no earlier run had refused."""
        report = self._report
        found = self._connection.execute(_NEWLY_REFUSED, {"run_id": self._run_id}).fetchone()
        report.newly_refused = found[0] if found else 0
        counts = {name: getattr(report, name) for name in ("delivered", "rejected", "retry")}
        error = report.error.message if report.error else None
        stamp = {"run_id": self._run_id, "now": self._now(), "error": error}
        self._connection.execute(_FINISH, {**stamp, **counts})

    def _count(self, kinds: Counter[str]) -> None:
        report = self._report
        report.delivered += kinds["delivered"]
        report.rejected += kinds["rejected"]
        report.retry -= kinds["delivered"] + kinds["rejected"]
        room = max(0, MAX_SAMPLES - len(report.refusals))
        found = self._connection.execute(_REFUSED, [room]).fetchall()
        report.refusals.extend(Refusal(decode_json(key), *rest) for key, *rest in found)
        counts = " ".join(f"{kind}={kinds[kind]}" for kind in ("delivered", "rejected", "retry"))
        _log.info("sync.batch sync=%s %s", report.name, counts)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC).replace(tzinfo=None)


@contextmanager
def _transaction(connection: DuckDBPyConnection) -> Iterator[None]:
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        with suppress(duckdb.Error):  # a commit that failed has ended the transaction by itself
            connection.rollback()
        raise
