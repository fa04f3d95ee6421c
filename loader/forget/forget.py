"""Forgets a person: suppresses, loads what waits, erases, builds the marts anew, gives a receipt.

From the first step on no load lets in an event of theirs. So whatever comes while the others are
taken stays out, and each may be taken again: a forget that was killed is finished by the next one.
"""

from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from loader.config import Workspace
from loader.errors import Busy, ConfigError
from loader.forget.doomed import RawLake, RawRows, find_doomed
from loader.forget.journal import Journal, end_journal, read_journal, write_journal
from loader.forget.person import Person, find_person
from loader.forget.receipt import Receipt, label_of, left_to_others, write_receipt
from loader.forget.steps import (
    Say,
    erase_decisions,
    erase_raw,
    erase_states,
    load_spool,
    remove_all_remains,
    suppress_person,
)
from loader.ledger import read_suppression, write_suppression
from loader.locks import exclusive
from loader.overrides import count_overrides
from loader.sync import holding_states, keys_of
from loader.transform import build_anew
from loader.warehouse import read_manifest


@dataclass(frozen=True)
class Survey:
    """Whom an identifier means, and what would go: rows by place."""

    person: Person
    counts: dict[str, int] = field(default_factory=dict)
    is_forgotten: bool = False  # already, and suppressed

    @property
    def is_unknown(self) -> bool:
        """Whether nothing here is theirs."""
        return not (self.counts or self.person.canonical_ids or self.is_forgotten)


def survey(workspace: Workspace, asked: str) -> Survey:
    """What a forget of whom `asked` means would erase; nothing is changed, no lock is taken.

    Raises ConfigError where it means several people, or nobody and is no `type:value` either.
    """
    person = find_person(workspace, asked)
    manifest = read_manifest(workspace)
    raw: list[RawRows] = [RawLake(workspace, manifest)]
    with ExitStack() as held:
        if workspace.config.warehouse.is_bigquery:
            from loader.forget.bigquery import open_raw  # noqa: PLC0415 - slow

            raw = [held.enter_context(open_raw(workspace))]
        found = find_doomed(workspace, raw, person, next_load_id=manifest.next_load_id)
        counts = {
            **found.counts,
            "identity_overrides.csv": count_overrides(workspace, person.identifiers),
        }
        with suppress(Busy), holding_states(workspace, read_only=True) as states:
            told = states.count(keys_of(workspace, person.canonical_ids), person.values)
            counts |= {f"sync {name}": count for name, count in told.items()}
    is_forgotten = bool(read_suppression(workspace.suppression).labels_of(person.identifiers))
    counts = {place: count for place, count in counts.items() if count}
    result = Survey(person, counts, is_forgotten)
    if result.is_unknown and len(person.identifiers) > 1:
        raise ConfigError(
            f"{asked}: nobody here has that identifier or id",
            fix="write type:value, as in user_id:u-81, to let in nothing of it from now on",
        )
    return result


def forget(workspace: Workspace, person: Person, say: Say = lambda _: None) -> Receipt:
    """Erase the person and suppress them; what was begun before and not finished is done first.

    Durable when it returns. `say` hears what is being done. Raises Busy while another forget, a
    compaction or a sync runs here; whatever stops it, the next call goes on from there.
    """
    with exclusive(workspace.home / "forget.lock", "forget"):
        begun = read_journal(workspace)
        if begun is not None and begun.receipt is not None:
            write_receipt(workspace, begun.receipt)
            end_journal(workspace)
            begun = None
        if begun is not None and begun.person.identifiers.isdisjoint(person.identifiers):
            say(f"finishing the forget {begun.label}, which was interrupted")
            _finish(workspace, begun, say)
            begun = None
        suppression = read_suppression(workspace.suppression)
        label = begun.label if begun else label_of(person, suppression)
        journal = Journal(label, person, keys_of(workspace, person.canonical_ids))
        if begun is not None:
            journal.take(begun)
        return _finish(workspace, journal, say)


def allow_again(workspace: Workspace, asked: str) -> int:
    """Let in again who was forgotten by the identifier `asked`; of how many receipts that was.

    Nothing comes back. ConfigError if nobody who was forgotten had it.
    """
    with exclusive(workspace.home / "forget.lock", "forget"):
        suppression = read_suppression(workspace.suppression)
        labels = suppression.labels_of(find_person(workspace, asked).identifiers)
        if not labels:
            raise ConfigError(
                f"{asked}: nobody who was forgotten had that identifier",
                fix="name it as when it was forgotten, with its type, as in user_id:u-81",
            )
        write_suppression(workspace.suppression, suppression.without(labels))
        return len(labels)


def _finish(workspace: Workspace, journal: Journal, say: Say) -> Receipt:
    """Take every step, whether or not it was taken before."""
    write_journal(workspace, journal)
    suppress_person(workspace, journal)
    say("loading what the collector took, without theirs")
    load_spool(workspace, journal, say)
    with holding_states(workspace) as states:
        say("erasing raw tables, violations and archive")
        rewritten = erase_raw(workspace, journal, say)
        erase_decisions(workspace, journal)  # one of them is a seed of the models
        say("building the marts anew")
        build_anew(workspace, say=say)
        erase_states(workspace, journal, states)
    stale: list[str] = []
    if workspace.config.warehouse.is_bigquery:
        from loader.forget.bigquery import stale_marts  # noqa: PLC0415 - slow

        stale = stale_marts(workspace)
    removed = remove_all_remains(workspace)
    receipt = _receipt(workspace, journal, stale, rewritten, removed)
    journal.receipt = receipt.as_json()
    write_journal(workspace, journal)
    write_receipt(workspace, journal.receipt)
    end_journal(workspace)
    return receipt


def _receipt(
    workspace: Workspace, journal: Journal, stale: list[str], rewritten: int, removed: int
) -> Receipt:
    suppression = read_suppression(workspace.suppression)
    hashes: dict[str, list[str]] = {}
    for identifier in sorted(journal.person.identifiers):
        hashes.setdefault(identifier.type, []).append(suppression.digest(identifier).hex())
    return Receipt(
        receipt=journal.label,
        forgotten_at=datetime.now(UTC).isoformat(timespec="seconds"),
        identifiers=hashes,
        erased={place: count for place, count in sorted(journal.erased.items()) if count},
        files_rewritten=rewritten,
        files_removed=removed,
        left_to_others=left_to_others(workspace, stale),
    )
