"""What is on its way to BigQuery, and how far it is: state that survives any kill.

A shipment brings all that was committed here and is not there yet. It is planned once and written
down before anything is sent, so that whoever goes on after a kill sends the very same.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from loader.config import Workspace
from loader.durable import replacing
from loader.errors import StorageError
from loader.warehouse.bigquery.commit import read_loads
from loader.warehouse.catalog import is_log
from loader.warehouse.manifest import LakeFile, Manifest
from loader.warehouse.outbox import MAX_DAYS, json_column

FORMAT_VERSION: Final = 1
_LOADS: Final = "loads"  # told last, in the transaction that makes the rest count
_HOUR: Final = "%Y-%m-%dT%H"


@dataclass
class Part:
    """Rows of one table that go by one job: those with JSON go apart."""

    table: str
    has_json: bool
    files: list[str]  # relative to the lake
    rows: int
    attempt: int = 0  # of the job; 0 before the first
    stream: str | None = None  # of the Storage Write API
    is_done: bool = False

    @property
    def label(self) -> str:
        """Its name among the parts of a shipment, as job ids have it."""
        return f"{self.table}-json" if self.has_json else self.table


@dataclass
class Shipment:
    """All parts that count at once; `last_load_id` is the newest load of them, and names jobs."""

    first_load_id: int
    last_load_id: int
    parts: list[Part]


@dataclass
class Shipping:
    """Where the workspace stands with BigQuery."""

    shipped_load_id: int = 0  # all loads up to this one are there
    shipped_at: float = 0.0  # seconds since 1970
    tables: list[str] = field(default_factory=list)  # that were seen there
    jobs: dict[str, dict[str, int]] = field(default_factory=dict)  # table -> hour -> load jobs
    token: str = ""  # in names there, where the ids of loads, from 1 as on DuckDB, are not unique
    shipment: Shipment | None = None

    def name_of(self, load_id: int) -> str:
        """What jobs and staged files that bring loads up to `load_id` are named for."""
        return f"{load_id}_{self.token}" if self.token else f"{load_id}"

    def count_job(self, table: str, now: datetime) -> None:
        """Note a load job into `table`; jobs of more than a day ago are forgotten."""
        oldest = (now - timedelta(days=1)).strftime(_HOUR)
        hours = {hour: n for hour, n in self.jobs.get(table, {}).items() if hour >= oldest}
        hour = now.strftime(_HOUR)
        self.jobs[table] = {**hours, hour: hours.get(hour, 0) + 1}

    def jobs_today(self, now: datetime) -> int:
        """The load jobs of the last 24 hours into the table that had most."""
        oldest = (now - timedelta(days=1)).strftime(_HOUR)
        counts = (sum(n for h, n in hours.items() if h >= oldest) for hours in self.jobs.values())
        return max(counts, default=0)


def read_shipping(workspace: Workspace) -> Shipping:
    """The state as last written; a fresh one before the first shipment."""
    path = workspace.shipping
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Shipping()
    except ValueError as problem:
        raise _damaged(path, str(problem)) from problem
    try:
        if found.pop("format_version") > FORMAT_VERSION:
            raise StorageError(f"{path}: a newer Headwater wrote it", fix="upgrade headwater")
        shipment = found.pop("shipment")
        if shipment is not None:
            parts = [Part(**part) for part in shipment.pop("parts")]
            found["shipment"] = Shipment(**shipment, parts=parts)
        return Shipping(**found)
    except (AttributeError, KeyError, TypeError) as problem:
        raise _damaged(path, "not as it was written") from problem


def _damaged(path: Path, why: str) -> StorageError:
    return StorageError(
        f"{path}: {why}",
        fix="restore it from a backup; without one remove it, and BigQuery is asked what it has",
    )


def write_shipping(workspace: Workspace, shipping: Shipping) -> None:
    """Make the state durable, whole or not at all."""
    document = {"format_version": FORMAT_VERSION, **asdict(shipping)}
    with replacing(workspace.shipping) as draft:
        draft.write_text(json.dumps(document), encoding="utf-8")


def plan(workspace: Workspace, manifest: Manifest, shipping: Shipping) -> Shipment | None:
    """What is to be brought next: all that was committed since; None if that is nothing.

    Loads of so many days that no job could bring them together go one after the other.
    """
    waiting = list(waiting_files(manifest, shipping))
    if not waiting:
        return None
    last = _last_together(workspace, manifest, shipping.shipped_load_id + 1)
    waiting = [file for file in waiting if last is None or file.load_id <= last]
    groups: dict[tuple[str, bool], Part] = {}
    for file in waiting:
        if file.table_name != _LOADS:
            names = pq.read_schema(workspace.lake / file.file).names
            has_json = json_column(names) is not None
            part = groups.setdefault(
                (file.table_name, has_json), Part(file.table_name, has_json, [], 0)
            )
            part.files.append(file.file)
            part.rows += file.rows
    ids = [file.load_id for file in waiting]
    parts = [part for _, part in sorted(groups.items())]
    return Shipment(min(ids), max(ids), parts)


def _last_together(workspace: Workspace, manifest: Manifest, first: int) -> int | None:
    """The last load that may go with load `first`, None if all that wait may."""
    days: dict[str, set[date]] = {}
    last: int | None = None
    rows = read_loads(workspace, manifest, first, manifest.next_load_id)
    for load_id, of_load in groupby(rows, key=lambda row: row.load_id):
        after = {r.table_name: days.get(r.table_name, set()) | {*r.dates} for r in of_load}
        if last is not None and any(len(found) > MAX_DAYS for found in after.values()):
            return last
        days |= after
        last = load_id
    return None


def waiting_files(manifest: Manifest, shipping: Shipping) -> Iterable[LakeFile]:
    """The files that no shipment has brought."""
    return (file for file in manifest.files if file.load_id > shipping.shipped_load_id)


def shipped_event_files(manifest: Manifest, shipping: Shipping) -> set[LakeFile]:
    """The files of events that are in BigQuery, and so need not be kept here."""
    return {
        file
        for file in manifest.files
        if file.load_id <= shipping.shipped_load_id and not is_log(file.table_name)
    }


def pending(workspace: Workspace, manifest: Manifest) -> tuple[int, datetime | None]:
    """How many rows of events wait here, and when something was last brought, for `status`."""
    shipping = read_shipping(workspace)
    rows = sum(
        file.rows for file in waiting_files(manifest, shipping) if not is_log(file.table_name)
    )
    moment = datetime.fromtimestamp(shipping.shipped_at, UTC) if shipping.shipped_at else None
    return rows, moment
