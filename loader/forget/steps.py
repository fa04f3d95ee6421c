"""The steps of a forget, each of which may be taken again."""

from collections.abc import Callable
from contextlib import ExitStack

from loader.alerts import erase_messages
from loader.archive import erase_events
from loader.config import Workspace
from loader.errors import Busy
from loader.forget.doomed import RawLake, RawRows, find_doomed
from loader.forget.journal import Journal, write_journal
from loader.ledger import read_suppression, write_suppression
from loader.load import load_files
from loader.locks import exclusive, holder_of
from loader.overrides import count_overrides, erase_overrides
from loader.sync import States, drop_copies
from loader.warehouse import erasing, remove_remains, remove_replaced

Say = Callable[[str], None]


def suppress_person(workspace: Workspace, journal: Journal) -> None:
    """Let no load that begins from now on store an event of theirs."""
    suppression = read_suppression(workspace.suppression)
    known = suppression.with_person(journal.label, journal.person.identifiers)
    write_suppression(workspace.suppression, known)


def load_spool(workspace: Workspace, journal: Journal, say: Say) -> None:
    """Load what the collector took: theirs is suppressed, and its segments go.

    A load that began before, and doesn't know of the person, is waited for.
    """
    lock = workspace.home / "load.lock"
    while True:
        if (holder := holder_of(lock)) is not None:
            say(f"waiting for the load that is at work (process {holder})")
        with exclusive(lock, "load", wait=True, is_brief=True):
            pass
        try:
            report = load_files(workspace, [])
        except Busy:
            continue  # another one was quicker
        journal.note({"spool": report.suppressed})
        return


def erase_raw(workspace: Workspace, journal: Journal, say: Say) -> int:
    """Raw tables, violations and archive; how many files were written anew."""
    with ExitStack() as held:
        remote = None
        if workspace.config.warehouse.is_bigquery:
            from loader.forget.bigquery import holding_shipments, open_raw  # noqa: PLC0415 - slow

            held.enter_context(holding_shipments(workspace))
            remote = held.enter_context(open_raw(workspace))
        for name in ("load", "transform"):
            if (holder := holder_of(workspace.home / f"{name}.lock")) is not None:
                say(f"waiting for the {name} that is at work (process {holder})")
        eraser = held.enter_context(erasing(workspace))
        raw: list[RawRows] = [RawLake(workspace, eraser.manifest)]
        if remote is not None:
            raw.insert(0, remote)
        doomed = find_doomed(
            workspace,
            raw,
            journal.person,
            journal.ids,
            next_load_id=eraser.manifest.next_load_id,
        )
        journal.ids |= doomed.ids
        journal.message_ids |= doomed.message_ids
        journal.note(doomed.counts)
        write_journal(workspace, journal)
        lacking = None
        if remote is not None:
            remote.erase(journal.ids, journal.message_ids)
            lacking = remote.lacking(workspace, eraser.manifest)
        files = eraser.erase(journal.ids, journal.message_ids, lacking)
        return files + erase_events(workspace, journal.ids)


def erase_states(workspace: Workspace, journal: Journal, states: States) -> None:
    """What syncs remember, here and in BigQuery."""
    values = journal.person.values
    told = states.count(journal.keys, values)
    journal.note({f"sync {name}": count for name, count in told.items()})
    write_journal(workspace, journal)
    states.erase(journal.keys, values)
    if workspace.config.warehouse.is_bigquery:
        drop_copies(workspace)


def erase_decisions(workspace: Workspace, journal: Journal) -> None:
    """Overrides of identity that name the person, and alerts that wait to tell of their events."""
    journal.note({"identity_overrides.csv": count_overrides(workspace, journal.person.identifiers)})
    write_journal(workspace, journal)
    erase_overrides(workspace, journal.person.identifiers)
    with exclusive(workspace.home / "alerts.lock", "alert", wait=True):
        erased = erase_messages(workspace.state / "alerts.json", journal.message_ids)
    journal.note({"alerts": erased})


def remove_all_remains(workspace: Workspace) -> int:
    """Whatever files of before are left; how many there were."""
    removed = remove_replaced(workspace) + remove_remains(workspace)
    left = [*workspace.state.glob(".*.tmp*"), *workspace.state.glob("*.duckdb.wal")]
    for path in left:
        path.unlink(missing_ok=True)
    return removed + len(left)
