"""Starts bqemulator without the network, and mends where it differs from what BigQuery documents.

Run by the interpreter of its own environment (see `install`), with the arguments of `bqemulator`.
Each patch stands in for documented behaviour that our loads rely on; nothing here knows of us.
"""

import contextvars
import re
import sys
from pathlib import Path
from typing import Any

import sqlglot
from bqemulator.api.routes import jobs, upload
from bqemulator.catalog import ddl_sync
from bqemulator.cli import main
from bqemulator.domain.errors import AlreadyExistsError, InvalidQueryError
from bqemulator.grpc_api.write_servicer import BigQueryWriteHandler
from bqemulator.jobs import executor
from bqemulator.scripting import interpreter
from bqemulator.storage.engine import DuckDBEngine
from bqemulator.streaming.write_stream import WriteStreamState
from google.cloud.bigquery_storage_v1 import types
from sqlglot import exp

# https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#reserved_keywords
_RESERVED = frozenset(Path(__file__).with_name("reserved_words.txt").read_text().split())
_ALTER = re.compile(r"(?is)\s*(alter table \S+)\s+(.+,.+)")
_NEXT_CHANGE = re.compile(r"(?i),\s*(?=(?:add|alter|drop|rename) column)")
_wanted_id: contextvars.ContextVar[str | None] = contextvars.ContextVar("wanted", default=None)


def start_offline() -> None:
    """Both download an extension of DuckDB's; nothing that we use needs them."""
    DuckDBEngine._load_spatial = DuckDBEngine._load_format_extensions = lambda self: None


def load_parquet_by_name() -> None:
    """BigQuery takes a file's columns by their names; those that it lacks are null."""

    def load(path: str, target: str, ctx: Any) -> None:
        ctx.engine.execute(f"INSERT INTO {target} BY NAME SELECT * FROM read_parquet(?)", [path])

    executor._LOAD_FORMAT_HANDLERS["PARQUET"] = load


def keep_job_ids() -> None:
    """A job has the id that it was sent with, and a second one with that id is refused (409)."""
    read_envelope, run = upload._load_configuration_from_envelope, upload._run_load
    insert, query = jobs._handle_load_job_with_async_envelope, jobs._handle_query_job

    def remember(envelope: dict[str, Any]) -> dict[str, Any]:
        configuration = read_envelope(envelope)
        wanted = envelope.get("jobReference", {}).get("jobId")
        return {**configuration, "wantedId": wanted} if wanted else configuration

    async def run_once(*, project_id: str, configuration: dict[str, Any], **rest: Any) -> Any:
        configuration = dict(configuration)
        wanted = configuration.pop("wantedId", None)
        _refuse_repeated(rest["ctx"], project_id, wanted)
        _wanted_id.set(wanted)
        return await run(project_id=project_id, configuration=configuration, **rest)

    async def insert_once(project_id: str, job_id: str, config: Any, ctx: Any) -> Any:
        _refuse_repeated(ctx, project_id, job_id)
        return await insert(project_id, job_id, config, ctx)

    async def query_once(project_id: str, job_id: str, config: Any, **rest: Any) -> Any:
        _refuse_repeated(rest["ctx"], project_id, job_id)
        refuse_reserved_words(config["query"].get("query", ""))
        refuse_labels(config.get("labels", {}))
        return await query(project_id, job_id, config, **rest)

    new_id = upload._new_job_id
    upload._load_configuration_from_envelope = remember
    upload._run_load = run_once
    upload._new_job_id = lambda: _wanted_id.get() or new_id()
    jobs._handle_load_job_with_async_envelope = insert_once
    jobs._handle_query_job = query_once


def _refuse_repeated(ctx: Any, project_id: str, job_id: str | None) -> None:
    if job_id and ctx.catalog.get_job(project_id, job_id) is not None:
        raise AlreadyExistsError(f"Already Exists: Job {project_id}:{job_id}")


def refuse_labels(labels: dict[str, str]) -> None:
    """A label's value has small letters, digits, _ and - only, 63 at most."""
    for key, value in labels.items():
        if not re.fullmatch(r"[a-z0-9_-]{0,63}", value):
            raise InvalidQueryError(f"Label value {value!r} of {key!r} has invalid characters")


def refuse_reserved_words(sql: str) -> None:
    """A word that BigQuery reserves is no name, unless it is quoted or stands behind a dot."""
    try:
        statements = sqlglot.parse(sql, dialect="bigquery")
    except sqlglot.errors.SqlglotError:
        return  # the engine says what is wrong
    for statement in filter(None, statements):
        for name in statement.find_all(exp.Identifier):
            owner = name.parent
            is_behind_dot = isinstance(owner, exp.Column | exp.Table | exp.Dot) and (
                name is not owner.parts[0]
            )
            if name.this.upper() in _RESERVED and not name.quoted and not is_behind_dot:
                raise InvalidQueryError(f"Syntax error: Unexpected keyword {name.this.upper()}")


def count_only_loaded_rows() -> None:
    """`outputRows` of a load job counts the rows that it loaded, not those of the table."""
    load = executor.execute_load_job

    async def counted(project_id: str, job_id: str, config: Any, ctx: Any) -> Any:
        job = executor._parse_load_job_config(project_id, config)
        table = ctx.catalog.get_table(job.project_id, job.dataset_id, job.table_id)
        keeps = table is not None and job.write_disposition == "WRITE_APPEND"
        before = executor._refresh_load_row_count(job, ctx) if keeps else 0
        meta = await load(project_id, job_id, config, ctx)
        rows = int(meta.statistics["load"]["outputRows"]) - before
        return meta.model_copy(update={"statistics": {"load": {"outputRows": str(rows)}}})

    for module in (executor, upload, jobs):
        module.execute_load_job = counted


def tell_altered_columns() -> None:
    """After ALTER TABLE, tables.get knows the columns."""
    sync_created = ddl_sync.sync_created_table

    def sync(sql: str, project_id: str, ctx: Any) -> None:
        sync_created(sql, project_id, ctx)
        for name in _altered(sql):
            project, dataset, table = ddl_sync._split_target(name, project_id)
            known = ctx.catalog.get_table(project, dataset, table)
            if known is not None:
                schema = ddl_sync._introspect_schema(project, dataset, table, ctx)
                kinds = {field.name: field for field in known.schema_.fields}
                widened = {f.name for f in schema.fields if f.type in ("FLOAT", "FLOAT64")}
                kept = {name: field for name, field in kinds.items() if name not in widened}
                fields = [kept.get(field.name, field) for field in schema.fields]
                changed = known.schema_.model_copy(update={"fields": tuple(fields)})
                ctx.catalog.update_table(known.model_copy(update={"schema_": changed}))

    for module in (ddl_sync, executor, interpreter):
        module.sync_created_table = sync


def make_each_change_of_a_table() -> None:
    """ALTER TABLE may name several changes, which come one after the other; DuckDB takes one."""
    run = jobs._handle_query_job

    async def run_each(project_id: str, job_id: str, config: Any, **rest: Any) -> Any:
        sql = config["query"].get("query", "")
        if found := _ALTER.fullmatch(sql):
            each = (f"{found[1]} {change};" for change in _NEXT_CHANGE.split(found[2]))
            config = {**config, "query": {**config["query"], "query": "\n".join(each)}}
        return await run(project_id, job_id, config, **rest)

    jobs._handle_query_job = run_each


def tell_committed_streams() -> None:
    """A pending stream that was committed has a commit time."""
    get_stream = BigQueryWriteHandler._handle_get_write_stream

    def get(self: Any, request: bytes, context: Any) -> bytes:
        answer = get_stream(self, request, context)
        found = self.manager.get(types.GetWriteStreamRequest.deserialize(request).name)
        if not answer or found is None or found.state is not WriteStreamState.COMMITTED:
            return answer
        told = types.WriteStream.deserialize(answer)
        told.commit_time = told.create_time
        return types.WriteStream.serialize(told)

    BigQueryWriteHandler._handle_get_write_stream = get


def _altered(sql: str) -> list[Any]:
    try:
        found = sqlglot.parse(sql, dialect="bigquery")
    except sqlglot.errors.SqlglotError:
        return []
    return [s.find(exp.Table) for s in found if isinstance(s, exp.Alter)]


def take_long_expressions() -> None:
    """It nests concat(a, b, …) an operator deeper for each part, and walks that by recursion."""
    sys.setrecursionlimit(20_000)


if __name__ == "__main__":
    take_long_expressions()
    start_offline()
    load_parquet_by_name()
    keep_job_ids()
    count_only_loaded_rows()
    tell_altered_columns()
    make_each_change_of_a_table()
    tell_committed_streams()
    main()
