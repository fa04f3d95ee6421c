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
    version: int
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
    before, now = _by_table(old), _by_table(new)
    found: list[EventDifference] = []
    for table in dict.fromkeys([*before, *now]):
        was, becomes = before.get(table, {}), now.get(table, {})
        for version in sorted({*was, *becomes}):
            # What an event names and no contract has, the oldest version stands for.
            older = was.get(version) or next(iter(was.values()), None)
            newer = becomes.get(version) or next(iter(becomes.values()), None)
            if newer is None:
                found.append(_removal(was[version], is_closed=blocks_unplanned))
            elif version not in was:
                is_oldest = version == min(becomes)
                found.append(_addition(older, newer, is_oldest=is_oldest, is_strict=is_strict))
            elif older is not None:
                found.append(_difference(older, newer, is_strict=is_strict))
    found = [
        event for event in found if event.status != "changed" or event.changes or event.columns
    ]
    return PlanDifference(
        sorted(found, key=lambda event: (event.call != "track", event.name, event.version))
    )


def _by_table(contracts: Iterable[Contract]) -> dict[str, dict[int, Contract]]:
    """The versions of each table's contract, the oldest first."""
    found: dict[str, dict[int, Contract]] = {}
    for contract in sorted(contracts, key=lambda contract: contract.version):
        found.setdefault(contract.table, {})[contract.version] = contract
    return found


def _addition(
    old: Contract | None, new: Contract, *, is_oldest: bool, is_strict: bool
) -> EventDifference:
    """A contract that is new: beside the `old` one, where its event had one already."""
    schema = as_normalised(old.schema if old else {})
    changes = compare_schemas(schema, as_normalised(new.schema), is_strict=is_strict)
    # A call is there whatever is planned; a track event, as a rule, comes after its contract, and
    # events of a version after that. But what names no version is held to the oldest.
    is_awaited = not is_oldest if old else new.call == "track"
    if is_awaited and not is_strict:
        changes = []
    changes.insert(0, Change("compatible", "contract", "$", "has a contract now"))
    return EventDifference(new.name, new.call, new.version, "added", changes)


def _difference(old: Contract, new: Contract, *, is_strict: bool) -> EventDifference:
    """What changed for the events that `old` was for, which `new` is for now."""
    changes = compare_schemas(
        as_normalised(old.schema), as_normalised(new.schema), is_strict=is_strict
    )
    types = dict(columns_named(old))
    columns = [
        ColumnChange(new.table, name, types[name], kind)
        for name, kind in columns_named(new)
        if types.get(name, kind) is not kind
    ]
    if old.version == new.version:
        return EventDifference(new.name, new.call, new.version, "changed", changes, columns)
    said = f"its events are held to version {new.version} now"
    changes.insert(0, Change("compatible", "contract", "$", said))
    return EventDifference(old.name, old.call, old.version, "removed", changes, columns)


def _removal(old: Contract, *, is_closed: bool) -> EventDifference:
    """A contract that is gone, and no other version of it stands in."""
    if old.call == "track" and is_closed:
        said = "has no contract any more, and headwater.yml blocks unplanned events"
        change = Change("breaking", "contract", "$", said)
    else:
        said = "has no contract any more: is let in unchecked"
        change = Change("compatible", "contract", "$", said)
    return EventDifference(old.name, old.call, old.version, "removed", [change])


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
