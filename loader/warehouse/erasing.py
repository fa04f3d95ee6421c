"""Rows of the lake that go for good: files without them take the place of those that had them."""

import shutil
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loader.config import Workspace
from loader.errors import StorageError
from loader.event.identifiers import EMAIL, Identifier
from loader.locks import exclusive
from loader.warehouse.catalog import Catalog, is_log
from loader.warehouse.compaction import Replacement, only_compaction, replace_files
from loader.warehouse.lake import sweep
from loader.warehouse.manifest import LakeFile, Manifest, commit_manifest, read_manifest
from loader.warehouse.merge import Merger, Rewrite
from loader.warehouse.retired import remove_retired
from loader.warehouse.views import as_pattern, quote, scan, text

VIOLATIONS: Final = "violations"
_LOADS: Final = "loads"
# Of which call another one tells, in a track event that a load made itself.
TELLS_OF: Final = ("violation_generated", "event_message_id")
_BATCH_ROWS: Final = 8_192
_SPILL: Final = "forgetting"  # a folder, for what is larger than memory
_ENVELOPE: Final = {
    "user_id": ("user_id", "previous_id"),
    "anonymous_id": ("anonymous_id", "previous_id"),
}


def columns_of(type_: str, known: Collection[str]) -> list[str]:
    """The columns, of those that a raw table has, where identifiers of the type stand."""
    names = _ENVELOPE.get(type_, (type_, f"context_traits_{type_}"))
    return [name for name in names if name in known]


class LakeRows:
    """Rows of the event tables that `manifest` lists, to be found by identifiers or ids."""

    def __init__(self, workspace: Workspace, manifest: Manifest) -> None:
        self._workspace = workspace
        self._manifest = manifest
        self._files: dict[str, list[LakeFile]] = defaultdict(list)
        for file in manifest.files:
            self._files[file.table_name].append(file)

    def ids_of(self, identifiers: Collection[Identifier]) -> set[str]:
        """The ids of events that carry one of `identifiers` in a column of its own."""
        found: set[str] = set()
        with self._engine() as engine:
            engine.execute("create temp table who (type varchar, value varchar)")
            engine.executemany("insert into who values (?, ?)", [list(one) for one in identifiers])
            for table, files in self._event_files():
                query = _ids_query(self._workspace, self._manifest.catalog, table, files)
                conditions = _conditions(self._manifest.catalog, table, identifiers)
                if conditions:
                    rows = engine.execute(f"{query} where {' or '.join(conditions)}").fetchall()
                    found.update(id_ for (id_,) in rows)
        return found

    def ids_that_tell_of(self, message_ids: Collection[str]) -> set[str]:
        """The ids of events that loads made themselves of violations of these messages."""
        table, column = TELLS_OF
        columns = self._manifest.catalog.tables.get(table)
        if columns is None or column not in columns.field_ids or not message_ids:
            return set()
        with self._engine() as engine:
            engine.register("doomed", _as_table(message_ids))
            query = _ids_query(self._workspace, self._manifest.catalog, table, self._files[table])
            condition = f"{quote(column)} in (select id from doomed)"
            return {id_ for (id_,) in engine.execute(f"{query} where {condition}").fetchall()}

    def count(self, ids: Collection[str]) -> dict[str, dict[LakeFile, dict[int, int]]]:
        """By table, and file, and load: how many rows have one of the `ids`."""
        found: dict[str, dict[LakeFile, dict[int, int]]] = {}
        with self._engine() as engine:
            engine.register("doomed", _as_table(ids))
            for table, files in self._event_files():
                by_name = {str(self._workspace.lake / file.file): file for file in files}
                names = ", ".join(text(as_pattern(name)) for name in by_name)
                rows = engine.execute(
                    "select filename, load_id, count(*) from read_parquet("
                    f"[{names}], filename = true, union_by_name = true, hive_partitioning = false) "
                    "where id in (select id from doomed) group by all"
                ).fetchall()
                for name, load_id, count in rows:
                    loads = found.setdefault(table, {}).setdefault(by_name[name], {})
                    loads[load_id] = count
        return found

    def _event_files(self) -> Iterator[tuple[str, list[LakeFile]]]:
        for table, files in sorted(self._files.items()):
            if not is_log(table):
                yield table, files

    @contextmanager
    def _engine(self) -> Iterator[duckdb.DuckDBPyConnection]:
        spill = self._workspace.home / _SPILL
        try:
            with duckdb.connect(config={"temp_directory": str(spill)}) as engine:
                engine.execute("set TimeZone = 'UTC'")
                yield engine
        except duckdb.IOException as problem:
            raise StorageError(
                f"{self._workspace.lake}: {problem}", fix="restore the file from a backup"
            ) from problem


def read_violations(
    workspace: Workspace, manifest: Manifest
) -> Iterator[tuple[LakeFile, str, str, int]]:
    """Each row of raw.violations: its file, message id, payload and load."""
    names = ["message_id", "payload", "load_id"]
    for file in manifest.files:
        if file.table_name == VIOLATIONS:
            with pq.ParquetFile(workspace.lake / file.file) as stored:
                for batch in stored.iter_batches(_BATCH_ROWS, columns=names):
                    columns = (batch.column(name).to_pylist() for name in names)
                    yield from ((file, *row) for row in zip(*columns, strict=True))


class Eraser:
    """Takes rows out of the lake; of use while no load and no compaction runs."""

    def __init__(self, workspace: Workspace, merger: Merger, manifest: Manifest) -> None:
        self.manifest = manifest
        self._workspace = workspace
        self._merger = merger

    def erase(
        self,
        ids: Collection[str],
        message_ids: Collection[str],
        lacking: Mapping[tuple[int, str], int] | None = None,
    ) -> int:
        """Take out events by their ids, violations by their messages'; in how many files they were.

        The log of loads says from then on that they brought so much less, by load and table: what
        went here, unless `lacking` says what went where their rows are. Durable when it returns;
        readers that began before still find the files of before, until `remove_replaced`.
        """
        gone: Counter[tuple[int, str]] = Counter()
        replacements = []
        for table, files in LakeRows(self._workspace, self.manifest).count(ids).items():
            for loads in files.values():
                gone.update({(load_id, table): count for load_id, count in loads.items()})
            replacements += self._without(list(files), "id", ids)
        doomed, holding = set(message_ids), dict[LakeFile, None]()
        for file, message_id, _, load_id in read_violations(self._workspace, self.manifest):
            if message_id in doomed:
                holding[file] = None
                gone[load_id, VIOLATIONS] += 1
        replacements += self._without(list(holding), "message_id", doomed)
        replacements += self._relogged(gone if lacking is None else lacking)
        if replacements:
            replace_files(self._workspace, self.manifest, replacements, datetime.now(UTC))
            commit_manifest(self._workspace, self.manifest)
        return sum(len(found.old) for found in replacements)

    def _relogged(self, gone: Mapping[tuple[int, str], int]) -> list[Replacement]:
        """The log of loads, where they brought so many rows less."""
        loads = {load_id for load_id, _ in gone}

        def has_them(file: LakeFile) -> bool:
            with pq.ParquetFile(self._workspace.lake / file.file) as stored:
                found = stored.read(columns=["load_id"])["load_id"].to_pylist()
            return not loads.isdisjoint(found)

        def rewrite(rows: pa.Table) -> pa.Table:
            keys = zip(rows["load_id"].to_pylist(), rows["table_name"].to_pylist(), strict=True)
            counts = [
                count - gone.get(key, 0)
                for key, count in zip(keys, rows["rows"].to_pylist(), strict=True)
            ]
            place = rows.column_names.index("rows")
            return rows.set_column(place, "rows", pa.array(counts, pa.int64()))

        files = [file for file in self.manifest.files if file.table_name == _LOADS]
        return self._rewritten([file for file in files if gone and has_them(file)], rewrite)

    def _without(
        self, files: Sequence[LakeFile], column: str, doomed: Collection[str]
    ) -> list[Replacement]:
        values = pa.array(sorted(doomed), pa.string())

        def rewrite(rows: pa.Table) -> pa.Table:
            return rows.filter(pc.invert(pc.is_in(rows[column], value_set=values)))

        return self._rewritten(files, rewrite)

    def _rewritten(self, files: Sequence[LakeFile], rewrite: Rewrite) -> list[Replacement]:
        days: dict[tuple[str, str], list[LakeFile]] = defaultdict(list)
        for file in sorted(files, key=lambda file: file.load_id):
            days[file.table_name, file.date].append(file)
        found = []
        for of_day in days.values():
            new = self._merger.merge(self.manifest.catalog, of_day, rewrite)
            found.append(Replacement(of_day, new))
        return found


@contextmanager
def erasing(workspace: Workspace) -> Iterator[Eraser]:
    """Be the only one that loads or compacts; what killed ones left is removed.

    A load that is at work is waited for. Raises Busy while a compaction runs.
    """
    lock = workspace.home / "load.lock"
    with only_compaction(workspace) as merger, exclusive(lock, "load", wait=True):
        manifest = read_manifest(workspace)
        sweep(workspace, manifest)
        yield Eraser(workspace, merger, manifest)


def remove_replaced(workspace: Workspace) -> int:
    """Remove at once every file that no version of now lists; how many there were.

    Queries that began before may fail, and have to be repeated.
    """
    with exclusive(workspace.home / "load.lock", "load", wait=True):
        manifest = read_manifest(workspace)
        removed = remove_retired(workspace, manifest)
        shutil.rmtree(workspace.home / _SPILL, ignore_errors=True)
        return removed


def _ids_query(
    workspace: Workspace, catalog: Catalog, table: str, files: Sequence[LakeFile]
) -> str:
    return f"select id from {scan(workspace, catalog, table, files)}"


def _conditions(catalog: Catalog, table: str, identifiers: Collection[Identifier]) -> list[str]:
    """What holds for rows that carry one of `identifiers`, which the table `who` has, in SQL."""
    found = []
    for type_ in sorted({identifier.type for identifier in identifiers}):
        for name in columns_of(type_, catalog.columns_of(table)):
            value = f"cast({quote(name)} as varchar)"
            if type_ == EMAIL:
                value = f"lower(trim({value}, ' '))"
            found.append(f"{value} in (select value from who where type = {text(type_)})")
    return found


def _as_table(ids: Collection[str]) -> pa.Table:
    return pa.table({"id": pa.array(sorted(ids), pa.string())})
