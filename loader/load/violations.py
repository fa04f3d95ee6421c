"""What was kept back and why: rows of raw.violations, one per event and broken rule."""

from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa

from loader.config import strip_write_keys
from loader.contracts import Action, Violation
from loader.event.values import ARROW, json_text, parse_moment
from loader.ledger import IdIndex, keys_of
from loader.load.intake import Candidate
from loader.warehouse import Catalog, LakeWriter
from loader.warehouse.catalog import fixed_columns

TABLE = "violations"
_HELD_BYTES = 64 * 1024 * 1024
_TIMES = ("receivedAt", "sentAt", "timestamp", "originalTimestamp")  # the first that is one
_ROW_BYTES = 1_000  # that a row takes beside its payload, as a Python object


class Settled(NamedTuple):
    """What came of the violations that were added since the last time."""

    blocked: int  # events newly kept back
    repeated: int  # events kept back again, for what they were kept back for before
    rows: list[tuple[Candidate, dict[str, Any]]]  # that are new, with the event of each


class ViolationWriter:
    """Collects violations; one that was written before, of the same event, is left out."""

    def __init__(self, known: IdIndex, *, load_id: int, now: datetime) -> None:
        self.rows = 0
        self.example = ""
        self._known = known
        self._load_id = load_id
        self._now = now
        self._found: list[tuple[str, Candidate, list[Violation], Action]] = []
        self._rows: list[dict[str, Any]] = []
        self._held_bytes = 0

    def add(self, candidate: Candidate, violations: list[Violation], action: Action) -> None:
        """Take what one event broke; whether it is new turns out at the next `settle`.

        New is also what was kept back before and is let in now.
        """
        reasons = map(_reason, violations)
        signature = "\0".join((candidate.message_id, *reasons, *([action] * (action != "block"))))
        self._found.append((signature, candidate, violations, action))

    def settle(self) -> Settled:
        """Keep what is new of what came since the last time."""
        keys = keys_of(signature for signature, *_ in self._found)
        is_known = self._known.contains(keys)
        fresh: dict[bytes, int] = {}
        rows: list[tuple[Candidate, dict[str, Any]]] = []
        blocked = repeated = 0
        for number, (key, was_known) in enumerate(zip(keys.tolist(), is_known, strict=True)):
            _, candidate, violations, action = self._found[number]
            is_retried = candidate.blocked_for is not None and action == "block"
            is_repeated = _is_same(candidate, violations) if is_retried else was_known
            if is_repeated or key in fresh:
                repeated += action == "block"
                continue
            fresh[key] = number
            blocked += action == "block"
            rows += [(candidate, row) for row in self._keep(candidate, violations, action)]
        self._known.add(keys[list(fresh.values())])
        self._found = []
        return Settled(blocked, repeated, rows)

    def write(self, lake: LakeWriter, catalog: Catalog, *, all_rows: bool = False) -> None:
        """Write what is held, if it is much or all of it is asked for."""
        if not self._rows or not (all_rows or self._held_bytes >= _HELD_BYTES):
            return
        columns = fixed_columns(TABLE)
        schema = pa.schema({name: ARROW[kind] for name, kind in columns.items()})
        rows = pa.Table.from_pylist(self._rows, schema)
        days = [min(row["received_at"], self._now).date() for row in self._rows]
        lake.write(TABLE, rows, pa.array(days, pa.date32()), catalog)
        self.rows += len(rows)
        self._rows = []
        self._held_bytes = 0

    def _keep(
        self, candidate: Candidate, violations: list[Violation], action: Action
    ) -> list[dict[str, Any]]:
        """Hold the rows of what one event broke; gives them."""
        event = candidate.event
        stated = (event.get(field) for field in _TIMES)
        moments = map(parse_moment, (candidate.received_at, *stated))
        received = next(filter(None, moments), self._now)
        if event:
            as_sent = {pointer[1:]: value for pointer, value in candidate.rescued.items()}
            payload = json_text(event | as_sent)
        else:
            payload = json_text(candidate.text.decode("utf-8", "backslashreplace"))
        payload = strip_write_keys(payload)
        self._held_bytes += (len(payload) + _ROW_BYTES) * len(violations)
        rows = [
            {
                "load_id": self._load_id,
                "source_id": candidate.source,
                "received_at": received,
                "message_id": candidate.message_id,
                "type": _text(event.get("type")),
                "event": _text(event.get("event")),
                "path": found.path,
                "rule": found.rule,
                "message": found.message,
                "action": action,
                "payload": payload,
            }
            for found in violations
        ]
        self._rows += rows
        if action == "block" and not self.example:
            name = event.get("event") or event.get("type") or "a line"
            first = violations[0]
            self.example = (
                f"{name}: {first.path}: {first.message}"
                f" (source {candidate.source}, message {candidate.message_id})"
            )
        return rows


def _is_same(candidate: Candidate, violations: list[Violation]) -> bool:
    """Whether the event was blocked for just that before; the index forgets, a retry knows."""
    return candidate.blocked_for == frozenset(map(_reason, violations))


def _reason(found: Violation) -> str:
    return f"{found.rule} {found.path}"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
