"""One job, exactly once: its id says what it brings, so that repeating it changes nothing."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from google.api_core import exceptions
from google.api_core.retry import Retry
from google.cloud import bigquery

from loader.errors import Unavailable
from loader.warehouse.bigquery.client import ANSWER_SECONDS, BigQuery, quote_name
from loader.warehouse.bigquery.errors import REFUSALS, is_worth_retrying, refused
from loader.warehouse.bigquery.shipment import Part
from loader.warehouse.bigquery.tables import partition_column
from loader.warehouse.catalog import fixed_columns
from loader.warehouse.outbox import JSON_COLUMNS, json_column

RETRY: Final = Retry(predicate=is_worth_retrying, initial=0.5, maximum=20.0, timeout=90.0)
NO_RETRY: Final = Retry(predicate=lambda _: False)  # where we repeat by ourselves
_MAX_ATTEMPTS: Final = 4  # of a run; the next run goes on counting
_UPLOAD_SECONDS: Final = 1_800.0
JOB_SECONDS: Final = 3_600.0

Send = Callable[[str], bigquery.LoadJob | bigquery.QueryJob]


def load_part(
    connection: BigQuery,
    part: Part,
    name: str,
    send: Send,
    remember: Callable[[], None],
    *,
    is_there: Callable[[], bool],
) -> None:
    """Bring `part` by one job, which `send` starts under the id that it is given, made of `name`.

    `remember` makes the part's `attempt` durable; it is called before a job of that id is sent. A
    part that an earlier run began may be there: its job, running or done, tells, and where nobody
    remembers the job, `is_there`. Raises what `refused` gives; then the next run takes it up.
    """
    where = f"load {name} into {connection.raw(part.table)}"
    is_resumed = part.attempt > 0
    for tried in range(_MAX_ATTEMPTS):
        if not is_resumed or tried:
            part.attempt += 1
            remember()
        job_id = f"hw_{name}_{part.label}_{part.attempt}"
        try:
            known = _find(connection, job_id) if is_resumed and not tried else None
            if known is None and is_resumed and not tried and is_there():
                return
            problem = _await(connection, known or _send(connection, job_id, send))
        except REFUSALS as found:
            raise refused(where, found, location=connection.config.location) from found
        if problem is None:
            return
        if known is None and not is_worth_retrying(problem):
            part.attempt += 1  # the id is used up
            remember()
            raise refused(where, problem, location=connection.config.location)
        time.sleep(2.0**tried)
    raise Unavailable(
        f"{where}: {_MAX_ATTEMPTS} jobs failed within BigQuery",
        fix="nothing is lost: repeat the command, it takes up where it was",
    )


def send_file(connection: BigQuery, table: str, path: Path, *, replaces: bool = False) -> Send:
    """Starts the job that loads a Parquet file by sending the file itself."""

    def send(job_id: str) -> bigquery.LoadJob:
        with path.open("rb") as file:
            return connection.client.load_table_from_file(
                file,
                connection.raw(table),
                job_id=job_id,
                job_config=_load_config(replaces=replaces),
                num_retries=0,
                timeout=_UPLOAD_SECONDS,
            )

    return send


def send_uri(connection: BigQuery, table: str, uri: str, *, replaces: bool = False) -> Send:
    """Starts the job that loads a Parquet file in Cloud Storage."""

    def send(job_id: str) -> bigquery.LoadJob:
        return connection.client.load_table_from_uri(
            uri,
            connection.raw(table),
            job_id=job_id,
            job_config=_load_config(replaces=replaces),
            retry=NO_RETRY,
            timeout=ANSWER_SECONDS,
        )

    return send


def send_by_way_of(connection: BigQuery, table: str, waiting: str, names: Sequence[str]) -> Send:
    """Starts the job that adds the rows of the table `waiting`, whose JSON is text, to `table`.

    Load jobs take no JSON from Parquet (Google's "Working with JSON data" names CSV, Avro and JSON
    as their formats). A document with a number that BigQuery could only store rounded, or with half
    a surrogate pair, is stored as a JSON string of its text.
    """
    columns = ", ".join(map(quote_name, names))
    values = ", ".join(
        as_json(quote_name(name)) if name in JSON_COLUMNS else quote_name(name) for name in names
    )
    sql = (
        f"insert into {quote_name(connection.raw(table))} ({columns}) "
        f"select {values} from {quote_name(connection.raw(waiting))}"
    )
    config = bigquery.QueryJobConfig(
        maximum_bytes_billed=connection.config.maximum_bytes_billed, labels={"headwater": "load"}
    )

    def send(job_id: str) -> bigquery.QueryJob:
        return connection.client.query(
            sql,
            job_id=job_id,
            job_config=config,
            job_retry=None,
            retry=NO_RETRY,
            timeout=ANSWER_SECONDS,
        )

    return send


def as_json(column: str) -> str:
    """The SQL of a column of JSON texts as JSON; see `send_by_way_of`."""
    return f"coalesce(safe.parse_json({column}), to_json({column}))"


def _load_config(*, replaces: bool) -> bigquery.LoadJobConfig:
    writes = bigquery.WriteDisposition
    return bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET,
        write_disposition=writes.WRITE_TRUNCATE if replaces else writes.WRITE_APPEND,
        create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
        labels={"headwater": "load"},
    )


def count_rows(
    connection: BigQuery,
    part: Part,
    load_ids: list[int],
    days: tuple[str, str],
    *,
    is_split: bool,
) -> int:
    """How many of the part's rows the table has: those of its loads.

    `days` are the first and last of its partitions, as ISO dates. Where the table's rows are split,
    only those with JSON, or those without.
    """
    column = json_column(fixed_columns(part.table))
    is_part = f" and {column} is {'not ' if part.has_json else ''}null" if is_split else ""
    by = partition_column(part.table)
    sql = (
        f"select count(*) from {quote_name(connection.raw(part.table))} "
        f"where load_id in ({', '.join(map(str, load_ids))}) "
        f"and {by} >= timestamp '{days[0]}' "
        f"and {by} < timestamp_add(timestamp '{days[1]}', interval 1 day){is_part}"
    )
    return int(connection.value(sql, where="load"))


def _send(connection: BigQuery, job_id: str, send: Send) -> Any:
    """Start the job; a lost answer is no harm, since then the id is taken, by the job itself."""

    def once() -> Any:
        try:
            return send(job_id)
        except exceptions.Conflict:
            return connection.client.get_job(job_id, retry=RETRY, timeout=ANSWER_SECONDS)

    return RETRY(once)()


def _find(connection: BigQuery, job_id: str) -> Any:
    try:
        return connection.client.get_job(job_id, retry=RETRY, timeout=ANSWER_SECONDS)
    except exceptions.NotFound:
        return None


def _await(connection: BigQuery, job: Any) -> Exception | None:
    """Until the job is done; what made it fail, if anything did."""
    try:
        job.result(retry=RETRY, timeout=JOB_SECONDS)
    except REFUSALS as problem:
        if not job.error_result:
            raise  # it may be running still: who comes next finds it
        return problem if isinstance(problem, Exception) else None
    if isinstance(job, bigquery.QueryJob):
        connection.usage.add(job)
    return None
