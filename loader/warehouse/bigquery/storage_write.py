"""The Storage Write API: Parquet files into pending streams, whose rows become visible at once."""

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from google.api_core import exceptions
from google.api_core.retry import Retry
from google.cloud.bigquery_storage_v1 import types

from loader.errors import LoaderError, StorageError
from loader.warehouse.bigquery.client import BigQuery
from loader.warehouse.bigquery.errors import REFUSALS, is_transient, refused

_REQUEST_BYTES: Final = 8_000_000  # 10 MB is the limit, and the first one carries the schema too
_BATCH_ROWS: Final = 16_384
_CALL_SECONDS: Final = 60.0
_CONNECTION_SECONDS: Final = 600.0
_CODES: Final = types.StorageError.StorageErrorCode
_NARROW: Final = {pa.large_string(): pa.string(), pa.string_view(): pa.string()}


class PendingStreamLost(LoaderError):
    """A stream that was begun is gone, or isn't as we left it. Its rows are there or not: ask.

    BigQuery keeps a finalized stream for 4 hours, another one for 24.
    """


def append_pending(
    bigquery: BigQuery,
    table: str,
    file: Path,
    stream: str | None,
    remember: Callable[[str], None],
) -> str:
    """The finalized pending stream of raw `table` that holds all rows of the Parquet `file`, once.

    The file's columns have the types of the table's; those that it lacks are null. `stream` is what
    an earlier run began with this very file; without it one is created, and `remember` is called
    with its name before it holds a row. Nothing is visible before `commit_stream`.

    Raises PendingStreamLost, StorageError for a damaged file, and errors as `refused` gives.
    """
    where = f"table {bigquery.raw(table)}"
    try:
        upload = _Upload(bigquery, where, file)
        if stream is None:
            stream = _create(bigquery, table)
            remember(stream)
        elif _is_committed(bigquery, stream):
            return stream
        while upload.done < upload.rows:
            _RETRY(upload.go_on)(stream)
        _finalize(bigquery, where, stream, upload.rows)
    except REFUSALS as problem:
        if stream and isinstance(problem, exceptions.NotFound | exceptions.OutOfRange):
            raise _lost(where, stream, f"is gone: {problem.message}") from problem
        raise refused(where, problem, location=bigquery.config.location) from problem
    except (OSError, pa.ArrowException) as problem:
        raise StorageError(f"{file}: {problem}", fix="mend the disk, then repeat") from problem
    return stream


def commit_stream(bigquery: BigQuery, table: str, stream: str) -> None:
    """Make the rows of a finalized `stream` visible, all at once; nothing if that was done before.

    Raises PendingStreamLost, and errors as `refused` gives.
    """
    where = f"table {bigquery.raw(table)}"
    request = types.BatchCommitWriteStreamsRequest(
        parent=_path(bigquery, table), write_streams=[stream]
    )
    try:
        answer = bigquery.writer.batch_commit_write_streams(
            request, retry=_RETRY, timeout=_CALL_SECONDS
        )
        if not answer.stream_errors or _is_committed(bigquery, stream):
            return
    except exceptions.NotFound as problem:
        raise _lost(where, stream, f"is gone: {problem.message}") from problem
    except REFUSALS as problem:
        raise refused(where, problem, location=bigquery.config.location) from problem
    said = "; ".join(f"{error.code.name}: {error.error_message}" for error in answer.stream_errors)
    raise LoaderError(
        f"{where}: the rows of {stream} were not committed: {said}",
        fix="nothing is lost: repeat the command, or set `load_by: jobs`",
    )


class _Upload:
    """A file on its way into a stream: of its `rows`, `done` are known to be there."""

    def __init__(self, bigquery: BigQuery, where: str, file: Path) -> None:
        self._writer, self._where, self._file = bigquery.writer, where, file
        with pq.ParquetFile(file) as parquet:
            self.rows: int = parquet.metadata.num_rows
            self._schema = _plain(parquet.schema_arrow)
        self._unsent: Exception | None = None
        self.done = 0

    def go_on(self, stream: str) -> None:
        """Send what is missing, over one connection; one that breaks after progress is no error."""
        before = self.done
        sent: deque[int] = deque()  # at which row each request ends that is not answered yet
        answers: Any = None
        try:
            answers = self._writer.append_rows(
                self._requests(stream, sent, start=before),
                retry=None,  # it would go on with an iterator of which a part is gone
                timeout=_CONNECTION_SECONDS,
                # by which BigQuery finds the stream's region
                metadata=(("x-goog-request-params", f"write_stream={stream}"),),
            )
            for answer in answers:
                self._take(answer, sent)
            if self.done == before:
                raise exceptions.ServiceUnavailable("the connection ended without an answer")
        except exceptions.GoogleAPICallError as problem:
            if self._unsent:
                raise self._unsent from problem
            self._judge(problem, sent, before)
        finally:
            if answers is not None:
                answers.cancel()

    def _take(self, answer: types.AppendRowsResponse, sent: deque[int]) -> None:
        if answer.error.code:
            rows = [f"row {row.index}: {row.message}" for row in answer.row_errors[:3]]
            said = "; ".join([answer.error.message, *rows])
            problem = exceptions.from_grpc_status(
                answer.error.code, said, details=list(answer.error.details)
            )
            if not isinstance(problem, exceptions.AlreadyExists):
                raise problem
        self.done = sent.popleft()

    def _judge(self, problem: exceptions.GoogleAPICallError, sent: deque[int], before: int) -> None:
        if isinstance(problem, exceptions.AlreadyExists) and sent:
            self.done = sent.popleft()
        elif _is_finalized(problem):
            self.done = self.rows  # it was by us, once all of its rows had been acknowledged
        elif not (_may_pass(problem) and self.done > before):
            raise problem

    def _requests(
        self, stream: str, sent: deque[int], start: int
    ) -> Iterator[types.AppendRowsRequest]:
        """The rows from `start` on. A file is cut at the same rows each time."""
        offset = 0
        schema: pa.Schema | None = self._schema  # only the first request tells it
        try:
            with pq.ParquetFile(self._file) as parquet:
                for batch in parquet.iter_batches(_BATCH_ROWS):
                    for part in self._parts(batch.cast(self._schema)):
                        if offset >= start:
                            sent.append(offset + part.num_rows)
                            yield _request(stream, offset, part, schema)
                            schema = None
                        offset += part.num_rows
        except (OSError, pa.ArrowException, LoaderError) as problem:
            self._unsent = problem  # gRPC, whose thread this is, would only tell that it failed
            raise

    def _parts(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        if pa.ipc.get_record_batch_size(batch) <= _REQUEST_BYTES:
            yield batch
        elif batch.num_rows > 1:
            half = batch.num_rows // 2
            yield from self._parts(batch.slice(0, half))
            yield from self._parts(batch.slice(half))
        else:
            raise LoaderError(
                f"{self._where}: a row of {pa.ipc.get_record_batch_size(batch):,} bytes; "
                f"the Storage Write API takes {_REQUEST_BYTES:,}",
                fix="set `load_by: jobs`, and repeat",
            )


def _request(
    stream: str, offset: int, rows: pa.RecordBatch, schema: pa.Schema | None
) -> types.AppendRowsRequest:
    batch = types.ArrowRecordBatch(serialized_record_batch=rows.serialize().to_pybytes())
    data = types.AppendRowsRequest.ArrowData(rows=batch)
    if schema is not None:
        told = types.ArrowSchema(serialized_schema=schema.serialize().to_pybytes())
        data = types.AppendRowsRequest.ArrowData(rows=batch, writer_schema=told)
    return types.AppendRowsRequest(write_stream=stream, offset=offset, arrow_rows=data)


def _plain(schema: pa.Schema) -> pa.Schema:
    """The types that the API takes: https://cloud.google.com/bigquery/docs/supported-data-types"""
    plain = []
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        plain.append(pa.field(field.name, _NARROW.get(kind, kind)))
    return pa.schema(plain)


def _create(bigquery: BigQuery, table: str) -> str:
    made = bigquery.writer.create_write_stream(
        parent=_path(bigquery, table),
        write_stream=types.WriteStream(type_=types.WriteStream.Type.PENDING),
        retry=_RETRY,
        timeout=_CALL_SECONDS,
    )
    return str(made.name)


def _finalize(bigquery: BigQuery, where: str, stream: str, rows: int) -> None:
    answer = bigquery.writer.finalize_write_stream(name=stream, retry=_RETRY, timeout=_CALL_SECONDS)
    if answer.row_count != rows:
        raise _lost(where, stream, f"has {answer.row_count} rows, and its file {rows}")


def _is_committed(bigquery: BigQuery, stream: str) -> bool:
    found = bigquery.writer.get_write_stream(name=stream, retry=_RETRY, timeout=_CALL_SECONDS)
    return bool(found.commit_time)


def _path(bigquery: BigQuery, table: str) -> str:
    config = bigquery.config
    return f"projects/{config.project}/datasets/{config.raw_dataset}/tables/{table}"


def _lost(where: str, stream: str, why: str) -> PendingStreamLost:
    return PendingStreamLost(
        f"{where}: the stream {stream} {why}",
        fix="repeat the command: it asks the table what it has, and sends what is missing",
    )


def _is_finalized(problem: BaseException) -> bool:
    """Taken too widely, rows are missing, which `_finalize` notices."""
    by_status = isinstance(problem, exceptions.FailedPrecondition)
    return by_status or _CODES.STREAM_FINALIZED in _codes(problem)


def _may_pass(problem: BaseException) -> bool:
    """Also: a column that was added a moment ago may not be known to the API yet."""
    return is_transient(problem) or _CODES.SCHEMA_MISMATCH_EXTRA_FIELDS in _codes(problem)


def _codes(problem: BaseException) -> list[int]:
    """The API's own codes: https://cloud.google.com/bigquery/docs/write-api#error_handling"""
    codes = []
    for detail in getattr(problem, "details", None) or []:
        error = types.StorageError.pb(types.StorageError())
        if hasattr(detail, "Unpack") and detail.Unpack(error):
            codes.append(error.code)
    return codes


_RETRY: Final = Retry(predicate=_may_pass, initial=0.5, maximum=16, multiplier=2, timeout=120)
