"""What a demo has to come to, counted from its input by plain Python and nothing of ours."""

import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from tests.identity.oracle import Event as Seen
from tests.identity.oracle import Limit, Rules, resolve

Event = dict[str, Any]
Identifier = tuple[str, str]

TABLES = {
    "identify": "identifies",
    "page": "pages",
    "screen": "screens",
    "group": "groups",
    "alias": "aliases",
}
BIG_SPENDER_MINIMUM = 10_000
RULES = Rules({"user_id": Limit(1), "*": Limit(5)}, blocked=("[0-]*", "-1", "null", "anonymous"))


def table_of(event: Event) -> str:
    if event["type"] == "track":
        return re.sub("[^A-Za-z0-9]+", "_", event["event"]).lower()
    return TABLES[event["type"]]


class Contracts:
    """How many rules of schemas/ an event breaks."""

    def __init__(self, schemas: Path) -> None:
        self._common = Draft7Validator(json.loads((schemas / "common.json").read_text()))
        self._of_table = {}
        for path in schemas.glob("track/*.json"):
            self._of_table[path.stem] = self._validator(path, "properties")
        for call, body in (("identify", "traits"), ("group", "traits"), ("page", "properties")):
            self._of_table[TABLES[call]] = self._validator(schemas / f"{call}.json", body)

    @staticmethod
    def _validator(path: Path, body: str) -> Draft7Validator:
        rules = json.loads(path.read_text())["rules"]
        return Draft7Validator({"properties": {body: {"type": "object", **rules}}})

    def rules_broken(self, event: Event) -> int:
        own = self._of_table.get(table_of(event))
        errors = [*self._common.iter_errors(event), *(own.iter_errors(event) if own else ())]
        return len(errors)


def as_seen(event: Event) -> Seen:
    """The event as far as identity looks at it; without windows it doesn't matter when it came."""
    return Seen(event["messageId"], event["type"], 0, identifiers_of(event))


def identifiers_of(event: Event) -> list[Identifier]:
    emails = [event["traits"].get("email")] if event["type"] == "identify" else []
    emails.append(event.get("context", {}).get("traits", {}).get("email"))
    return [
        *(("user_id", value) for value in [event.get("userId")] if value),
        *(("anonymous_id", value) for value in [event.get("anonymousId")] if value),
        *(("email", email.strip().lower()) for email in emails if email),
    ]


def happened_at(event: Event) -> datetime:
    """The time by the server's clock, where the device told when it sent the event."""
    times = {
        name: datetime.fromisoformat(event[name])
        for name in ("receivedAt", "sentAt", "originalTimestamp", "timestamp")
        if name in event
    }
    if {"sentAt", "originalTimestamp"} <= times.keys():
        return times["receivedAt"] - (times["sentAt"] - times["originalTimestamp"])
    return times["timestamp"]


@dataclass
class Arrivals:
    """Every line's fate, in the order of arrival."""

    accepted: dict[str, Event]
    blocked: dict[str, int]  # rules broken
    events_in: int


def lines_of(file: Path) -> Iterator[str]:
    data = file.read_bytes()
    yield from (gzip.decompress(data) if file.suffix == ".gz" else data).decode().splitlines()


def sort_out(files: Iterable[Path], contracts: Contracts) -> Arrivals:
    arrivals = Arrivals({}, {}, 0)
    for file in files:
        for line in lines_of(file):
            arrivals.events_in += 1
            try:
                event = json.loads(line, parse_float=Decimal)
            except ValueError:
                arrivals.blocked[line] = 1
                continue
            message_id = event["messageId"]
            if message_id in arrivals.accepted:
                continue
            if not identifiers_of(event):
                arrivals.blocked[message_id] = 1
            elif broken := contracts.rules_broken(event):
                arrivals.blocked[message_id] = broken
            else:
                arrivals.accepted[message_id] = event
    return arrivals


def newest_orders(events: Iterable[Event]) -> dict[str, Event]:
    newest: dict[str, Event] = {}
    for event in events:
        if event["type"] == "track" and table_of(event) == "order_completed":
            order_id = event["properties"]["order_id"]
            known = newest.get(order_id)
            if known is None or happened_at(event) >= happened_at(known):
                newest[order_id] = event
    return newest


def count(files: Iterable[Path], schemas: Path) -> dict[str, Any]:
    """The numbers that a demo reports."""
    arrivals = sort_out(files, Contracts(schemas))
    events = arrivals.accepted.values()
    tables = Counter(map(table_of, events))
    tables["tracks"] = sum(event["type"] == "track" for event in events)
    people = resolve(RULES, map(as_seen, events))

    revenue: dict[str, Decimal] = defaultdict(Decimal)
    spent: dict[tuple[str | None, str], Decimal] = defaultdict(Decimal)
    for order in newest_orders(events).values():
        properties = order["properties"]
        currency = properties["currency"]
        spent[people.canonical_of(order["messageId"]), currency] += properties["total"]
        if "revenue" in properties:
            revenue[currency] += properties["revenue"]
    big_spenders = {person for (person, _), total in spent.items() if total >= BIG_SPENDER_MINIMUM}
    return {
        "events_in": arrivals.events_in,
        "accepted": len(events),
        "blocked": len(arrivals.blocked),
        "duplicates": arrivals.events_in - len(events) - len(arrivals.blocked),
        "tables": dict(tables),
        "violations": sum(arrivals.blocked.values()),
        "users_before": len(
            {event.get("userId") or event.get("anonymousId") for event in events} - {None}
        ),
        "users_after": len(people.users()),
        "revenue": {currency: float(amount) for currency, amount in sorted(revenue.items())},
        "audience_size": len(big_spenders),
        "delivered": len(people.users()) + len(big_spenders),
    }
