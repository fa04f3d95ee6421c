"""The receipt: what was erased and where, in hashes and counts, never in values."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from loader.config import Workspace
from loader.durable import replacing
from loader.forget.person import Person
from loader.ledger import Suppression

_HASHED_AS: Final = "HMAC-SHA256 of type:value, with the key in .headwater/suppression.json"
_DESTINATIONS: Final = (
    "destinations: what syncs have sent stays there; deletion there comes with reverse ETL"
)
_OTHERS: Final = (
    "backups, exports, notebooks, git history and files that were loaded: they are not Headwater's",
)
_GOOGLE: Final = (
    "BigQuery: time travel shows the rows for the dataset's max_time_travel_hours (7 days unless "
    "it was set), Google's fail-safe keeps them 7 days longer",
    "other workspaces that load into these datasets: their archive and state are theirs to erase",
)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What one forget came to; it holds no personal data."""

    receipt: str  # its name
    forgotten_at: str
    identifiers: dict[str, list[str]]  # hashes by type
    hashed_as: str = _HASHED_AS
    erased: dict[str, int]  # rows, events or entries, by place
    files_rewritten: int
    files_removed: int
    is_suppressed: bool = True
    left_to_others: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For `--json`, and as it is kept."""
        return asdict(self)


def label_of(person: Person, suppression: Suppression) -> str:
    """A name for the receipt, which tells nobody whom it is about."""
    digests = b"".join(sorted(map(suppression.digest, person.identifiers)))
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{hashlib.sha256(digests).hexdigest()[:12]}"


def left_to_others(workspace: Workspace, stale: list[str]) -> list[str]:
    """What nobody here can erase; `stale` are tables of marts that no model builds any more."""
    config = workspace.config
    told = [_DESTINATIONS] if config.syncs else []
    if config.warehouse.is_bigquery:
        told += _GOOGLE
    if stale:
        told.append(f"tables that no model builds any more: drop {', '.join(stale)}")
    if config.privacy.suppress:
        told.append(f"{config.privacy.suppress}: the file is yours, and may name the person")
    return [*told, *_OTHERS]


def write_receipt(workspace: Workspace, receipt: dict[str, Any]) -> Path:
    """Keep it; durable on return, and the same however often it is called."""
    path = workspace.receipts / f"{receipt['receipt']}.json"
    with replacing(path) as draft:
        draft.write_text(json.dumps(receipt, indent=2) + "\n", encoding="utf-8")
    return path
