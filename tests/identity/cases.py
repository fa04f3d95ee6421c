"""The worked cases of Segment's documentation: calls, and what comes of them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.identity.oracle import Event, Limit, Rules, identifiers_of
from tests.identity.outcome import Outcome, as_told

_FILE = Path(__file__).parents[1] / "fixtures" / "identity_cases.json"
_DAYS = {"ever": None, "weekly": 7, "monthly": 30, "annually": 365}
_EPOCH = datetime(2026, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
# Values that some rules block: these are sent as they are told.
_TELLING = re.compile("[0-]*|anonymous")
Call = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """Events and identifiers are named after the case, so that many share a workspace."""

    id: str
    name: str
    rules: Rules
    calls: list[Call]
    expected: Mapping[str, Any]

    def events(self) -> list[Event]:
        return [
            Event(
                call["messageId"],
                call["type"],
                (datetime.fromisoformat(call["timestamp"][:-1]) - _EPOCH) // _MICROSECOND,
                list(identifiers_of(call)),
            )
            for call in self.calls
        ]

    def as_told(self, outcome: Outcome) -> dict[str, Any]:
        """What came of this case, in its own words."""
        order = {call["messageId"]: number for number, call in enumerate(self.calls)}
        own = outcome.only(order)
        return json.loads(json.dumps(as_told(own, order)).replace(f"{self.id}.", ""))


def read_cases() -> list[Case]:
    document = json.loads(_FILE.read_text())
    defaults = document["_meta"]["defaults"]
    return [
        Case(
            case["id"],
            case["name"],
            _rules({**defaults, **case.get("config", {})}),
            [_call(f"{case['id']}.", call) for call in case["events"]],
            case["expected"],
        )
        for case in document["cases"]
    ]


def _rules(config: Mapping[str, Any]) -> Rules:
    limits = {
        kind: Limit(limit["limit"], _DAYS[limit["window"]])
        for kind, limit in config["identifiers"].items()
    }
    blocked = tuple(_expression(blocked) for blocked in config["blocked"])
    caps = {name: config[name] for name in ("max_merges", "max_mappings")}
    return Rules(limits, tuple(config["priority"]), blocked, **caps)


def _expression(blocked: Mapping[str, str]) -> str:
    """Of the whole value, as headwater.yml has it."""
    if "exact" in blocked:
        return blocked["exact"]
    return blocked["pattern"].removeprefix("^").removesuffix("$")


def _call(prefix: str, told: Mapping[str, Any]) -> Call:
    call = json.loads(json.dumps(told))
    call["messageId"] = prefix + call.pop("id")
    call["timestamp"] = call["receivedAt"] = f"{call['timestamp']}Z"
    places = [call, call.get("traits", {}), *call.get("context", {}).get("externalIds", ())]
    for place in places:
        for key in ("userId", "anonymousId", "previousId", "groupId", "email", "id"):
            if key in place and not _TELLING.fullmatch(place[key]):
                place[key] = prefix + place[key]
    return call
