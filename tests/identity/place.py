"""A workspace through which events of the oracle's go, as a source sends them."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from loader.config import Workspace
from loader.load import load_files
from loader.transform import transform
from tests.bigquery.asking import rows_of
from tests.bigquery.models import MODELS_ONLY, add_models
from tests.conftest import make_workspace, read_raw
from tests.identity.oracle import Event, Override, Rules
from tests.identity.outcome import TABLES, Outcome, read_outcome

START = datetime(2026, 1, 1, tzinfo=UTC)
_SELECTED = ("events", *TABLES, "profile_splits", "int_applied_overrides")
IDENTITY_ONLY = ("--select", *(f"+{name}" for name in _SELECTED), *MODELS_ONLY)
_WINDOWS = {None: "ever", 7: "weekly", 30: "monthly", 365: "annually"}
_NOBODY = "0000"  # blocked; a call needs a userId or an anonymousId


class Place:
    """The workspace, with the models and the rules of identity."""

    def __init__(self, workspace: Workspace, rules: Rules) -> None:
        self.workspace = add_models(workspace)
        self._files = 0
        self._configure(rules)

    @classmethod
    def on_duckdb(cls, folder: Path, rules: Rules) -> "Place":
        return cls(make_workspace(folder / "workspace"), rules)

    def _configure(self, rules: Rules) -> None:
        identifiers = {
            kind: {"limit": rules.limits[kind].values, "window": _WINDOWS[rules.limits[kind].days]}
            for kind in (*rules.priority, "*")
        }
        identity = {
            "identifiers": identifiers,
            "blocked": list(rules.blocked),
            "max_merges": rules.max_merges,
            "max_mappings": rules.max_mappings,
        }
        path = self.workspace.root / "headwater.yml"
        path.write_text(f"{path.read_text()}\nidentity: {json.dumps(identity)}\n")
        self.workspace = Workspace(self.workspace.root)

    def load(self, calls: Iterable[Mapping[str, Any]]) -> None:
        self._files += 1
        path = self.workspace.root / f"batch{self._files}.ndjson"
        path.write_text("".join(f"{json.dumps(call)}\n" for call in calls))
        report = load_files(self.workspace, [str(path)])
        assert not report.blocked, report

    def transform(self, *arguments: str) -> None:
        transform(self.workspace, arguments=[*IDENTITY_ONLY, *arguments])

    def override(self, overrides: Sequence[Override]) -> None:
        """Write them to the seed, and no others."""
        path = self.workspace.root / "dbt_project" / "seeds" / "identity_overrides.csv"
        with path.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow((*Override._fields, "created_at", "note"))
            rows.writerows((*override, "2026-11-25T00:00:00Z", "") for override in overrides)

    def read(self, select: str) -> list[tuple[Any, ...]]:
        """Of the tables that the models made."""
        if self.workspace.config.warehouse.is_bigquery:
            return rows_of(self.workspace, select)
        return read_raw(self.workspace, f"set search_path = 'analytics'; {select}")

    def outcome(self) -> Outcome:
        return read_outcome(self.read)


def as_call(event: Event) -> dict[str, Any]:
    """The event as a source sends it; it carries its identifiers by their places and no others."""
    told = {kind: [v for k, v in event.identifiers if k == kind] for kind, _ in event.identifiers}
    emails = told.pop("email", [])
    user_ids, anonymous_ids = told.pop("user_id", [None]), told.pop("anonymous_id", [None])
    context: dict[str, Any] = {}
    call = {"messageId": event.id, "type": event.type, "receivedAt": moment(event.received_at)}
    call |= _OF_TYPE.get(event.type, {})
    call["timestamp"] = call["receivedAt"]
    if event.type == "identify" and emails:
        call["traits"] = {"email": f" {emails.pop(0).upper()} "}
    if emails:
        context["traits"] = {"email": emails.pop(0)}
    assert not emails
    [call["userId"]] = user_ids
    [call["anonymousId"]] = anonymous_ids
    if call["userId"] is None and call["anonymousId"] is None:
        call["anonymousId"] = _NOBODY
    context["externalIds"] = [
        {"id": value, "type": kind, "collection": "users", "encoding": "none"}
        for kind, value in event.identifiers
        if kind in told
    ]
    return {**call, "context": context}


_OF_TYPE = {"track": {"event": "Seen"}, "group": {"groupId": "g1"}}


def moment(microseconds: int) -> str:
    at = START + timedelta(microseconds=microseconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
