"""A load at work: takes lines, judges each event, and commits all of it or nothing."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time
from typing import Self

import numpy as np
import numpy.typing as npt

from loader.archive import ArchiveWriter, oldest_day, without_write_key
from loader.config import Workspace
from loader.contracts import Contract, Violation
from loader.event.envelope import Event, Shared
from loader.event.values import json_text
from loader.ledger import Digests, IdIndex, keys_of, read_suppression
from loader.load.enriching import enrich_chunk, fix_types
from loader.load.feed import Feed
from loader.load.intake import Candidate, Intake
from loader.load.judge import Judge
from loader.load.kernel import Kernel, Scanned, is_usable
from loader.load.loads import log_load
from loader.load.planned import give_columns
from loader.load.reader import STDIN, Progress, digest_of
from loader.load.report import LoadReport
from loader.load.room import Room
from loader.load.rows import RowWriter
from loader.load.rules import rule_of
from loader.load.violation_events import new_events
from loader.load.violations import ViolationWriter
from loader.spool import Segment
from loader.warehouse import (
    LoadedFile,
    Manifest,
    commit_manifest,
    expire_violations,
    lake_writer,
    sweep_ids,
)
from loader.warehouse.schema_changes import changes_since, write_changes

_FLUSH_EVENTS, _FLUSH_BYTES = 50_000, 128 * 1024 * 1024  # held in buffers
_FIRST_FLUSH_EVENTS = 4_000  # the sooner types settle, the sooner the kernel knows them
_UNKNOWN_KEY = Violation(
    "unknown_write_key",
    "$.writeKey",
    "no source of headwater.yml has this write key; the event is taken as of source `file`",
)


class Load:
    """One load of a workspace, to be held under its lock; `manifest` is changed and committed."""

    def __init__(
        self,
        workspace: Workspace,
        manifest: Manifest,
        contracts: Sequence[Contract],
        source: str | None,
    ) -> None:
        self.report = LoadReport()
        self._workspace = workspace
        self._manifest = manifest
        self._now = datetime.now(UTC)
        forgotten = read_suppression(workspace.suppression)
        self._judge = Judge(workspace.config, workspace.root, contracts, forgotten)
        self._types_before = manifest.catalog.types()
        give_columns(manifest.catalog, contracts)
        self._intake = self._new_intake(source)
        self._accepted = self._ids("accepted")
        self._blocked = self._ids("blocked")
        self._first_seq, load_id = manifest.next_seq, manifest.next_load_id
        self._lake = lake_writer(workspace, load_id, self._now.date())
        room = Room(manifest.catalog, workspace.config.limits.event_tables)
        self._rows = RowWriter(self._lake, manifest.catalog, room, load_id=load_id, now=self._now)
        self._violations = ViolationWriter(self._blocked, load_id=load_id, now=self._now)
        self._oldest_archived = oldest_day(workspace, self._now.date())
        self._archive = ArchiveWriter(
            workspace, load_id, oldest=self._oldest_archived, loaded_at=self._now
        )
        self._kernel = self._new_kernel() if self._may_use_kernel() else None
        self._feed = Feed(self._intake, self._kernel)
        self._loaded: list[LoadedFile] = []
        self._spooled: list[str] | None = None
        self._buffered = self._buffered_bytes = 0
        self._flush_events = min(_FIRST_FLUSH_EVENTS, _FLUSH_EVENTS)
        self._keys_reported: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lake.close()

    def take(self, inputs: Sequence[str], total: int | None, progress: Progress | None) -> None:
        """Read every input and write what it holds to the lake, not yet visible."""
        known = {loaded.sha256 for loaded in self._manifest.loaded_files}
        done = 0
        for name in inputs:
            if name != STDIN:
                digest = digest_of(name)
                if digest in known:
                    self.report.already_loaded.append(name)
                    continue
                known.add(digest)
                self._loaded.append(LoadedFile(digest, self._manifest.next_load_id))
            taken = 0

            def on_bytes(position: int, before: int = done) -> None:
                nonlocal taken
                taken = position
                if progress:
                    progress(before + position, total)

            self._take(self._feed.read_file(name, on_bytes))
            done += taken
        self._flush(everything=True)

    def take_spool(self, segments: Sequence[Segment], progress: Progress | None) -> None:
        """The same with segments of the spool, all workers' requests in the order of arrival."""
        self._take(self._feed.read_spool(segments, progress))
        self._flush(everything=True)
        self._spooled = [segment.key for segment in segments]

    def commit(self) -> None:
        """Make the load count, in one rename; a load that brought nothing new changes nothing."""
        report, manifest = self.report, self._manifest
        report.lines = self._feed.lines
        report.warnings += [f"names meet: {met}" for met in self._rows.names_that_meet()]
        report.warnings += self._rows.without_room()
        report.tables = dict(sorted(self._rows.rows.items()))
        report.example = self._violations.example
        files = self._lake.files()
        has_rows = bool(files)
        has_expired = bool(expire_violations(self._workspace, manifest, self._now))
        changes = list(changes_since(self._types_before, manifest.catalog, self._rows.sample_of))
        is_changed = has_rows or self._loaded or self._spooled or changes
        if not (is_changed or has_expired):
            return
        write_changes(self._lake, manifest.catalog, changes, load_id=manifest.next_load_id)
        if has_rows:
            report.load_id = manifest.next_load_id
            self._log_load()
        files = self._lake.files()
        self._archive.sync_folders()
        manifest.id_runs = [*self._accepted.save(), *self._blocked.save()]
        manifest.files += files
        manifest.loaded_files += self._loaded
        if self._spooled is not None:
            manifest.loaded_segments = self._spooled
        manifest.version += 1
        if any(change.old_type for change in changes):
            manifest.epoch += 1
        manifest.next_load_id += 1
        self._lake.place()
        commit_manifest(self._workspace, manifest)
        sweep_ids(self._workspace, manifest)

    def _take(self, parts: Iterator[Scanned]) -> None:
        """Take events, in order."""
        for scanned in parts:
            self._take_part(scanned)
            self._buffered_bytes += sum(map(len, scanned.block.texts))
            if self._buffered >= self._flush_events:
                self._flush()
                self._flush_events = min(2 * self._flush_events, _FLUSH_EVENTS)
            if self._buffered_bytes >= _FLUSH_BYTES or self._rows.is_wide:
                self._flush()

    def _take_part(self, scanned: Scanned) -> None:
        """Ordinary events by the kernel, all others singly; each id once."""
        block, keys = scanned.block, scanned.keys
        count, first_seq = len(block.texts), self._manifest.next_seq
        odd = scanned.odd
        candidates = {index: self._intake.candidate(block, index) for index in odd}
        keys[odd] = keys_of(candidates[index].message_id for index in odd)
        is_old = self._accepted.contains(keys)
        first = _first_of_each(keys)
        is_taken = np.zeros(count, bool)
        if self._kernel:
            is_wanted = ~is_old & (first == np.arange(count))
            is_wanted[odd] = False
            is_taken |= self._kernel.take(scanned, is_wanted, first_seq)
        has_come = is_taken.copy()  # at the first place of each id: whether it was taken since
        for index in np.flatnonzero(~is_old & ~is_taken).tolist():
            if has_come[first[index]]:
                self.report.duplicates += 1
                continue
            candidate = candidates.get(index) or self._intake.candidate(block, index)
            is_taken[index] = has_come[first[index]] = self._take_one(candidate, first_seq + index)
        self._accepted.add(keys[is_taken])
        self._manifest.next_seq += count
        self._buffered += count
        self.report.events_in += count
        self.report.accepted += int(is_taken.sum())
        self.report.duplicates += int(is_old.sum())
        self._settle_violations()
        if self._kernel:
            self._rows.teach(self._kernel)

    def _settle_violations(self) -> None:
        settled = self._violations.settle()
        self._count_blocked(settled.blocked, settled.repeated)
        told = new_events(settled.rows, self._judge.contracts, self._accepted)
        for event, source in told:
            seq = self._manifest.next_seq
            self._rows.add(event, seq, source, {})
            self._archive_event(event, seq, source, None, json_text(event).encode())
            self._manifest.next_seq += 1
        self.report.violation_events += len(told)
        self._buffered += len(told)
        self._violations.write(self._lake, self._manifest.catalog)

    def _count_blocked(self, new: int, repeated: int) -> None:
        self.report.blocked += new
        self.report.duplicates += repeated

    def _take_one(self, candidate: Candidate, seq: int) -> bool:
        """Take the event, drop it or keep it back; whether it was taken.

        Kept back and archived is the event as it was before the pipeline, to go that way anew. Of a
        suppressed one nothing is remembered, not even its id.
        """
        ruling = self._judge.rule(candidate)
        for action, violations in ruling.violations.items():
            self._violations.add(candidate, violations, action)
        if ruling.event is None:
            self.report.suppressed += ruling.is_suppressed
            self.report.dropped += not (ruling.is_suppressed or ruling.violations)
            return False
        if candidate.unknown_key and candidate.unknown_key not in self._keys_reported:
            self._keys_reported.add(candidate.unknown_key)
            self._violations.add(candidate, [_UNKNOWN_KEY], "allow")
        # A copy: what finds no column is added to it, and a violation tells the event as it came.
        self._rows.add(ruling.event, seq, candidate.source, candidate.rescued.copy())
        text = without_write_key(candidate.text) if candidate.has_key else candidate.text
        self._archive_event(candidate.event, seq, candidate.source, candidate.shared, text)
        return True

    def _archive_event(
        self, event: Event, seq: int, source: str, shared: Shared | None, text: bytes
    ) -> None:
        name = event["event"] if event["type"] == "track" else None
        fields = (seq, event["messageId"], source, event["type"], name)
        self._archive.add(fields, shared, text)

    def _flush(self, *, everything: bool = False) -> None:
        """Bring what is buffered into Arrow; write it if much is held or all of it is asked for."""
        arrived = self._rows.flush()
        self._archive.flush(arrived["received_at"], arrived["_date"])
        if self._kernel:
            self._flush_kernel(self._kernel)
        self._buffered = self._buffered_bytes = 0
        if self._rows.is_full:
            self._rows.write()
        if self._archive.is_full:
            self._archive.write()
        if everything:
            self._rows.write()
            self._archive.write()
            self._violations.write(self._lake, self._manifest.catalog, all_rows=True)

    def _flush_kernel(self, kernel: Kernel) -> None:
        for table, chunk in kernel.finish().items():
            sources = kernel.source_ids(chunk)
            added = enrich_chunk(self._judge.pipeline.enrichment, chunk)
            times = self._rows.add_chunk(table, chunk, sources, added)
            self._archive.add_chunk(
                {
                    **kernel.archived(table, chunk),
                    "source_id": sources,
                    "received_at": times.received_at,
                    "_date": times.date,
                }
            )
        kernel.renew()

    def _may_use_kernel(self) -> bool:
        """Whether ordinary events come out of it as they would from `_take_one`."""
        can_enrich = fix_types(self._manifest.catalog)
        return is_usable() and can_enrich and not self._workspace.config.rewrites_events

    def _new_intake(self, source: str | None) -> Intake:
        return Intake(self._workspace.config, source, self._judge.privacy)

    def _new_kernel(self) -> Kernel:
        return Kernel(
            self._manifest.catalog,
            self._intake.sources,
            self._judge.privacy,
            lambda table, call: rule_of(self._judge.contracts.schemas_of(table, call), call),
            now=self._now,
            raw_since=datetime.combine(self._oldest_archived, time(), UTC),
        )

    def _ids(self, kind: str) -> IdIndex:
        return IdIndex(
            self._workspace.ids,
            kind,
            self._manifest.id_runs,
            load_id=self._manifest.next_load_id,
            today=self._now.date(),
            dedupe_days=self._workspace.config.dedupe_days,
        )

    def _log_load(self) -> None:
        tables = dict(self._rows.rows)
        if self._violations.rows:
            tables["violations"] = self._violations.rows
        log_load(self._lake, self._manifest, tables, first_seq=self._first_seq)


def _first_of_each(keys: Digests) -> npt.NDArray[np.intp]:
    """For each key, the index at which it stands first."""
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    return first[which]
