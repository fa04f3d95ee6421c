"""What was kept back and why: rows of raw.violations, one per event and broken rule."""

from datetime import datetime
from typing import Any

import pyarrow as pa

from loader.config import strip_write_keys
from loader.contracts import Violation
from loader.event.values import ARROW, json_text, parse_moment
from loader.ledger import IdIndex, keys_of
from loader.load.intake import Candidate
from loader.warehouse import Catalog, LakeWriter
from loader.warehouse.catalog import fixed_columns

TABLE = "violations"
_HELD_BYTES = 64 * 1024 * 1024
_ROW_BYTES = 1_000  # that a row takes beside its payload, as a Python object


class ViolationWriter:
    """Collects violations; one that was written before, of the same event, is left out."""

    def __init__(self, known: IdIndex, *, load_id: int, now: datetime) -> None:
        self.rows = 0
        self.dates: set[Any] = set()
        self.example = ""
        self._known = known
        self._load_id = load_id
        self._now = now
        self._found: list[tuple[str, Candidate, list[Violation], str]] = []
        self._rows: list[dict[str, Any]] = []
        self._held_bytes = 0

    def add(self, candidate: Candidate, violations: list[Violation], action: str) -> None:
        """Take what one event broke; whether it is new turns out at the next `settle`."""
        rules = "\0".join(f"{found.rule} {found.path}" for found in violations)
        self._found.append((f"{candidate.message_id}\0{rules}", candidate, violations, action))

    def settle(self) -> tuple[int, int]:
        """Keep what is new of what came since the last time: (events newly blocked, repeated)."""
        keys = keys_of(signature for signature, *_ in self._found)
        is_known = self._known.contains(keys)
        fresh: dict[bytes, int] = {}
        blocked = repeated = 0
        for number, (key, was_known) in enumerate(zip(keys.tolist(), is_known, strict=True)):
            _, candidate, violations, action = self._found[number]
            if was_known or key in fresh:
                repeated += action == "block"
                continue
            fresh[key] = number
            blocked += action == "block"
            self._keep(candidate, violations, action)
        self._known.add(keys[list(fresh.values())])
        self._found = []
        return blocked, repeated

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
        self.dates.update(days)
        self._rows = []
        self._held_bytes = 0

    def _keep(self, candidate: Candidate, violations: list[Violation], action: str) -> None:
        event = candidate.event
        stated = (event.get(field) for field in ("receivedAt", "sentAt", "timestamp"))
        moments = map(parse_moment, (candidate.received_at, *stated))
        received = next(filter(None, moments), self._now)
        if event:
            as_sent = {pointer[1:]: value for pointer, value in candidate.rescued.items()}
            payload = json_text(event | as_sent)
        else:
            payload = json_text(candidate.text.decode("utf-8", "backslashreplace"))
        payload = strip_write_keys(payload)
        self._held_bytes += (len(payload) + _ROW_BYTES) * len(violations)
        for found in violations:
            self._rows.append(
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
            )
        if action == "block" and not self.example:
            name = event.get("event") or event.get("type") or "a line"
            first = violations[0]
            self.example = (
                f"{name}: {first.path}: {first.message}"
                f" (source {candidate.source}, message {candidate.message_id})"
            )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
