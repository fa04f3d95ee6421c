"""Two plans side by side: what each event's contract lets in now, and did before."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from loader.authoring.compatibility import Change, compare_schemas
from loader.authoring.keywords import Schema, types_of
from loader.contracts import Contract, columns_named
from loader.event.values import ColumnType

_ALWAYS_OBJECTS: Final = ("properties", "traits", "context", "integrations")
_ALWAYS_THERE: Final = frozenset({*_ALWAYS_OBJECTS, "messageId", "type"})


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """A column whose type the contracts state differently; the raw table keeps the older one."""

    table: str
    column: str
    old: ColumnType
    new: ColumnType


@dataclass(frozen=True, slots=True)
class EventDifference:
    """What became of one contract."""

    name: str
    call: str
    status: Literal["added", "removed", "changed"]
    changes: list[Change] = field(default_factory=list)
    columns: list[ColumnChange] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PlanDifference:
    """Every contract that differs, by name."""

    events: list[EventDifference]

    def count(self, verdict: str) -> int:
        """How many changes have this verdict."""
        return sum(change.verdict == verdict for event in self.events for change in event.changes)

    @property
    def is_breaking(self) -> bool:
        """Whether an event that was let in before may be blocked now."""
        return self.count("breaking") + self.count("unsure") > 0

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        counts = {verdict: self.count(verdict) for verdict in ("breaking", "unsure", "compatible")}
        return {**counts, "events": [asdict(event) for event in self.events]}


def compare_plans(
    old: Iterable[Contract],
    new: Iterable[Contract],
    *,
    blocks_unplanned: bool = False,
    is_strict: bool = False,
) -> PlanDifference:
    """What changed from the contracts `old` to `new`.

    `blocks_unplanned`: events without a contract are not let in. `is_strict`: what no contract
    spoke of before, an event or a property, counts as let in before.
    """
    before = {contract.table: contract for contract in old}
    now = {contract.table: contract for contract in new}
    found = [
        EventDifference(
            gone.name, gone.call, "removed", [_removal(gone, is_closed=blocks_unplanned)]
        )
        for table, gone in before.items()
        if table not in now
    ]
    for table, contract in now.items():
        event = _difference(before.get(table), contract, is_strict=is_strict)
        if event.status == "added" or event.changes or event.columns:
            found.append(event)
    return PlanDifference(sorted(found, key=lambda event: (event.call != "track", event.name)))


def _difference(old: Contract | None, new: Contract, *, is_strict: bool) -> EventDifference:
    schema = as_normalised(old.schema if old else {})
    changes = compare_schemas(schema, as_normalised(new.schema), is_strict=is_strict)
    if old is None:
        # A call is there whatever is planned; a track event, as a rule, comes after its contract.
        if new.call == "track" and not is_strict:
            changes = []
        said = "has a contract now"
        changes.insert(0, Change("compatible", "contract", "$", said))
        return EventDifference(new.name, new.call, "added", changes)
    types = dict(columns_named(old))
    columns = [
        ColumnChange(new.table, name, types[name], kind)
        for name, kind in columns_named(new)
        if types.get(name, kind) is not kind
    ]
    return EventDifference(new.name, new.call, "changed", changes, columns)


def _removal(old: Contract, *, is_closed: bool) -> Change:
    if old.call == "track" and is_closed:
        said = "has no contract any more, and headwater.yml blocks unplanned events"
        return Change("breaking", "contract", "$", said)
    return Change("compatible", "contract", "$", "has no contract any more: is let in unchecked")


def as_normalised(schema: Schema) -> Schema:
    """`schema` without what holds of every event anyway, since events are checked normalised."""
    described = schema.get("properties", {})
    objects = {
        name: {**rules, "type": "object"}
        for name in _ALWAYS_OBJECTS
        if isinstance(rules := described.get(name, {}), dict)
        and "$ref" not in rules
        and (not types_of(rules) or "object" in types_of(rules))
    }
    required = [name for name in schema.get("required", []) if name not in _ALWAYS_THERE]
    is_open = "object" in types_of(schema) or not types_of(schema)
    return {
        **schema,
        **({"type": "object"} if is_open else {}),
        "properties": {**described, **objects},
        "required": required,
    }
