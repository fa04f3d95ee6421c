"""One shipment on its way: every step of it, whatever was done already."""

import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Final

import pyarrow.parquet as pq
from google.cloud import bigquery

from loader.config import Workspace
from loader.errors import LoaderError
from loader.locks import exclusive
from loader.warehouse.bigquery.client import BigQuery
from loader.warehouse.bigquery.commit import commit_loads, last_counted, read_loads
from loader.warehouse.bigquery.jobs import (
    JOB_SECONDS,
    Send,
    count_rows,
    load_part,
    send_by_way_of,
    send_file,
    send_uri,
)
from loader.warehouse.bigquery.shipment import (
    Part,
    Shipment,
    Shipping,
    shipped_event_files,
    write_shipping,
)
from loader.warehouse.bigquery.tables import (
    TYPES,
    Columns,
    drop_waiting_table,
    ensure_raw_dataset,
    ensure_table,
    make_waiting_table,
)
from loader.warehouse.bigquery.upload import prepare
from loader.warehouse.catalog import fixed_columns, is_log
from loader.warehouse.manifest import Manifest, commit_manifest, read_manifest
from loader.warehouse.outbox import json_column, outgoing_columns

_LOOK_BACK: Final = 100  # loads, for one that the log must have
_AT_ONCE: Final = 8  # jobs, which mostly wait


def drop_shipped(workspace: Workspace, shipping: Shipping) -> None:
    """Let go of event files that are in BigQuery: the archive has the events still."""
    if not shipped_event_files(read_manifest(workspace), shipping):
        return
    with exclusive(workspace.home / "load.lock", "load", wait=True):
        manifest = read_manifest(workspace)
        shipped = shipped_event_files(manifest, shipping)
        manifest.files = [file for file in manifest.files if file not in shipped]
        manifest.version += 1
        commit_manifest(workspace, manifest)
    for file in shipped:
        (workspace.lake / file.file).unlink(missing_ok=True)


class Carrier:
    """Carries one shipment, from wherever it is."""

    def __init__(
        self, workspace: Workspace, connection: BigQuery, shipping: Shipping, shipment: Shipment
    ) -> None:
        self._workspace = workspace
        self._connection = connection
        self._shipping = shipping
        self._shipment = shipment
        self._manifest: Manifest = read_manifest(workspace)
        self._drafts: Path = workspace.home / "shipment"
        self._saving = Lock()

    def carry(self) -> list[str]:
        """All of it; messages as `ship`."""
        ensure_raw_dataset(self._connection)
        told = self._told_of_lost_loads()
        known = set() if told else set(self._shipping.tables)  # then others may be gone too
        tables = sorted(set(self._manifest.catalog.tables) - known - {"loads"})
        tables += sorted({part.table for part in self._waiting()} - set(tables))
        with ThreadPoolExecutor(_AT_ONCE, "shipment") as threads:
            columns = dict(zip(tables, threads.map(self._ensure, tables), strict=True))
            made = [table for table, (_, is_new) in columns.items() if is_new]
            lost = sorted(set(made) & set(self._shipping.tables))
            self._shipping.tables = sorted({*self._shipping.tables, *tables})
            for table in filter(is_log, lost):
                self._bring_all_of(table)
            self._save()
            self._bring(threads, [(part, columns[part.table][0]) for part in self._waiting()])
        self._commit()
        shutil.rmtree(self._drafts, ignore_errors=True)
        return told + [
            f"{self._connection.raw(table)} was gone and is made anew, with this load alone: "
            f"`headwater load --rebuild {table}` brings back what it had"
            for table in lost
            if not is_log(table)
        ]

    def _waiting(self) -> list[Part]:
        return [part for part in self._shipment.parts if not part.is_done]

    def _bring_all_of(self, log: str) -> None:
        """Let the shipment bring every row of a log that is kept here too."""
        files = [file for file in self._manifest.files if file.table_name == log]
        if not files:
            return
        begun = max((p.attempt for p in self._shipment.parts if p.table == log), default=0)
        whole = Part(
            log,
            has_json=json_column(fixed_columns(log)) is not None,
            files=[file.file for file in files],
            rows=sum(file.rows for file in files),
            attempt=begun + 1 if begun else 0,  # the job of before filled a table that is gone
        )
        rest = [part for part in self._shipment.parts if part.table != log]
        self._shipment.parts = [*rest, whole]

    def _told_of_lost_loads(self) -> list[str]:
        """Let all loads of ours count anew if BigQuery's log of loads was dropped; say so then."""
        last = self._shipping.shipped_load_id
        logged = (
            read_loads(self._workspace, self._manifest, last - _LOOK_BACK, last) if last else []
        )
        # A rebuild brings rows of older loads, and is none itself.
        if not logged or last_counted(self._connection, logged[-1].load_id, last):
            return []
        self._shipment.first_load_id = 0
        self._save()
        return [
            f"{self._connection.raw('loads')} did not have the loads that were sent before, and "
            "without it no row counts: the log that is kept here has been written there anew"
        ]

    def _ensure(self, table: str) -> tuple[Columns, bool]:
        columns = outgoing_columns(self._manifest.catalog, table)
        wanted = {name: TYPES[kind] for name, kind in columns.values()}
        retention = self._workspace.config.retention
        kept_days = retention.violations_days if table == "violations" else None
        return ensure_table(self._connection, table, wanted, kept_days=kept_days)

    def _bring(self, threads: ThreadPoolExecutor, parts: list[tuple[Part, Columns]]) -> None:
        """Every part; if one fails, the others are brought all the same."""
        is_streamed = self._connection.config.load_by == "storage_write"
        bring: Callable[[Part, Columns], None] = self._stream if is_streamed else self._load
        tasks = [threads.submit(bring, part, columns) for part, columns in parts]
        problems = [task.exception() for task in tasks]
        for problem in problems:
            if problem is not None:
                raise problem
        if is_streamed:
            from loader.warehouse.bigquery.storage_write import commit_stream  # noqa: PLC0415

            for part in (part for part, _ in parts if not part.is_done):
                commit_stream(self._connection, part.table, str(part.stream))
                self._finish(part)

    def _load(self, part: Part, columns: Columns) -> None:
        path = self._prepare(part, columns, as_json=False)
        sender = (
            self._by_way_of(part, path, columns) if part.has_json else self._straight(part, path)
        )
        with sender as send:
            load_part(
                self._connection,
                part,
                self._shipping.name_of(self._shipment.last_load_id),
                send,
                lambda: self._begin(part),
                is_there=lambda: self._is_there(part),
            )
        self._finish(part)

    @contextmanager
    def _straight(
        self, part: Part, path: Path, table: str = "", *, replaces: bool = False
    ) -> Iterator[Send]:
        """What sends the file into `table`, the part's if not said; by Cloud Storage if we may."""
        table = table or part.table
        bucket = self._connection.config.staging_bucket
        if not bucket:
            yield send_file(self._connection, table, path, replaces=replaces)
            return
        from loader.warehouse.bigquery.staging import stage, unstage  # noqa: PLC0415 - slow

        load = self._shipping.name_of(self._shipment.last_load_id)
        name = f"headwater/{load}/{part.label}.parquet"
        uri = stage(self._connection, bucket, name, path)
        yield send_uri(self._connection, table, uri, replaces=replaces)
        unstage(self._connection, [uri])

    @contextmanager
    def _by_way_of(self, part: Part, path: Path, columns: Columns) -> Iterator[Send]:
        """What sends rows with JSON: into a table where it is text, and on from there."""
        waiting = f"_waiting_{self._shipment.last_load_id}_{part.table}"
        names = pq.read_schema(path).names
        make_waiting_table(self._connection, waiting, {name: columns[name] for name in names})
        onward = send_by_way_of(self._connection, part.table, waiting, names)

        def send(job_id: str) -> bigquery.QueryJob | bigquery.LoadJob:
            with self._straight(part, path, waiting, replaces=True) as bring:
                bring(f"{job_id}_{secrets.token_hex(4)}").result(timeout=JOB_SECONDS)
            return onward(job_id)

        yield send
        drop_waiting_table(self._connection, waiting)

    def _stream(self, part: Part, columns: Columns) -> None:
        from loader.warehouse.bigquery.storage_write import (  # noqa: PLC0415 - slow
            PendingStreamLost,
            append_pending,
        )

        path = self._prepare(part, columns, as_json=part.has_json)

        def remember(stream: str) -> None:
            part.stream = stream
            self._save()

        try:
            append_pending(self._connection, part.table, path, part.stream, remember)
        except PendingStreamLost:
            if self._is_there(part):  # it was committed, so long ago that nobody remembers it
                self._finish(part)
            else:
                append_pending(self._connection, part.table, path, None, remember)

    def _prepare(self, part: Part, columns: Columns, *, as_json: bool) -> Path:
        draft = self._drafts / f"{self._shipment.last_load_id}-{part.label}.parquet"
        files = [self._workspace.lake / file for file in part.files]
        return prepare(files, draft, columns, as_json=as_json)

    def _is_there(self, part: Part) -> bool:
        """Whether the part's rows are in the table: all or, since jobs are atomic, none."""
        tables = [
            pq.read_table(self._workspace.lake / file, columns=["load_id"]) for file in part.files
        ]
        load_ids = sorted({i for table in tables for i in table["load_id"].unique().to_pylist()})
        rows = read_loads(self._workspace, self._manifest, load_ids[0], load_ids[-1])
        days = [day for row in rows if row.table_name == part.table for day in row.dates]
        first, last = (str(min(days)), str(max(days))) if days else ("0001-01-01", "9999-12-30")
        is_split = sum(other.table == part.table for other in self._shipment.parts) > 1
        found = count_rows(self._connection, part, load_ids, (first, last), is_split=is_split)
        if part.table == "violations":  # days of theirs may be over already
            return found > 0
        if found not in (0, part.rows):
            raise LoaderError(
                f"{self._connection.raw(part.table)} has {found:,} rows of loads {load_ids}, "
                f"wanted none or {part.rows:,}",
                fix="was something deleted there by hand? Delete the rest of these loads' rows, "
                "then repeat the command",
            )
        return found == part.rows

    def _commit(self) -> None:
        shipment = self._shipment
        first, last = shipment.first_load_id, shipment.last_load_id
        commit_loads(self._connection, read_loads(self._workspace, self._manifest, first, last))
        self._shipping.shipped_load_id = last
        self._shipping.shipped_at = time.time()
        self._shipping.shipment = None
        self._save()
        drop_shipped(self._workspace, self._shipping)

    def _begin(self, part: Part) -> None:
        self._shipping.count_job(part.table, datetime.now(UTC))
        self._save()

    def _finish(self, part: Part) -> None:
        part.is_done = True
        self._save()

    def _save(self) -> None:
        with self._saving:
            write_shipping(self._workspace, self._shipping)
