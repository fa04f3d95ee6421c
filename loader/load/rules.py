"""Contracts as the kernel checks them: the part of draft-07 that can be told while a value is read.

A rule beyond that part marks its place: an event that has a value there goes to the judge. So what
the kernel lets pass is valid, and what it doesn't is not yet invalid.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache, reduce
from operator import or_
from typing import Any, Final

from loader.event.envelope import BODY_FIELD
from loader.event.values import MAX_EXACT_INT

_NULL, _BOOL, _INT, _FLOAT, _STRING, _OBJECT, _ARRAY = (1 << bit for bit in range(7))
_ANY: Final = 0xFF
_KINDS: Final = {
    "null": _NULL,
    "boolean": _BOOL,
    "integer": _INT,  # 1.0 is one, too: the judge knows
    "number": _INT | _FLOAT,
    "string": _STRING,
    "object": _OBJECT,
    "array": _ARRAY,
}
_BEYOND: Final = frozenset(
    {
        *("$ref", "pattern", "format", "multipleOf", "minLength", "maxLength"),
        *("additionalItems", "uniqueItems", "contains", "minItems", "maxItems"),
        *("minProperties", "maxProperties", "patternProperties", "propertyNames", "dependencies"),
        *("if", "then", "else", "allOf", "anyOf", "oneOf", "not"),
    }
)
# Of a normalised event: what is always there, and what the kernel looks at one by one.
_ALWAYS_THERE: Final = frozenset(
    {"type", "messageId", "context", "integrations", "properties", "traits"}
)
_FIELDS: Final = frozenset(
    {
        *("messageId", "event", "anonymousId", "userId", "groupId", "previousId"),
        *("receivedAt", "sentAt", "originalTimestamp", "timestamp", "name", "category"),
    }
)


# What enrichment may add to the context after the kernel, which so knows nothing of it.
ENRICHED: Final = (
    *(("browser", "name"), ("browser", "version"), ("os", "name"), ("os", "version")),
    *(("device", "type"), ("bot",), ("location", "country")),
    *(("campaign", key) for key in ("source", "medium", "name", "term", "content")),
)


@dataclass
class Rule:
    """What one place of an event has to keep; `asdict` of it is what the kernel takes."""

    kinds: int = _ANY
    needs_judge: bool = False
    closed: bool = False
    minimum: float = -math.inf
    maximum: float = math.inf
    choices: list[Any] | None = None
    children: dict[str, "Rule"] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    items: "Rule | None" = None


_FREE: Final = Rule()
_REMEMBERED: Final = 4_096  # tables: a run that goes on asks with each of its loads


def rule_of(schemas: Sequence[Mapping[str, Any]], call: str) -> dict[str, Any] | None:
    """The rules of all `schemas` (of whole events) for events of `call`, or None without any.

    Its children are the fields of the envelope, `context`, and `body` for properties or traits.
    """
    return _compiled(json.dumps(schemas), call) if schemas else None


@lru_cache(maxsize=_REMEMBERED)
def _compiled(schemas: str, call: str) -> dict[str, Any]:
    whole = reduce(_both, map(_rule, json.loads(schemas)))
    return asdict(_by_field(whole, call))


def _by_field(whole: Rule, call: str) -> Rule:
    """`whole` with what the kernel looks at as its children; the judge for all that is beyond."""
    body = BODY_FIELD[call]
    found = Rule(kinds=whole.kinds, needs_judge=whole.needs_judge or whole.closed)
    for name, rule in whole.children.items():
        if name == body:
            found.children["body"] = rule
        elif name == "context" or name in _FIELDS:
            found.children[name] = rule
        else:
            found.needs_judge |= not _always_kept(name, rule, call)
    context = found.children.get("context", _FREE)
    found.needs_judge |= not all(_takes(context, path) for path in ENRICHED)
    found.required = (whole.required - _ALWAYS_THERE) & _FIELDS
    found.needs_judge |= bool(whole.required - _ALWAYS_THERE - _FIELDS)
    return found


def _takes(rule: Rule, path: Sequence[str]) -> bool:
    """Whether any text (of `bot`: true) may be added at `path`, since enrichment may do that."""
    for key in path:
        if rule.closed or rule.choices is not None or not rule.kinds & _OBJECT:
            return False
        rule = rule.children.get(key, _FREE)
    kind = _BOOL if path == ("bot",) else _STRING
    return rule.choices is None and not rule.needs_judge and bool(rule.kinds & kind)


def _always_kept(name: str, rule: Rule, call: str) -> bool:
    """Whether a field that the kernel doesn't look at keeps its rule whatever the event."""
    if name == "type":
        bare = Rule(kinds=rule.kinds, choices=rule.choices)
        return rule == bare and bool(rule.kinds & _STRING) and call in (rule.choices or [call])
    if name in ("integrations", "properties", "traits"):  # an object, for these two: an empty one
        is_empty = name != "integrations"
        bare = Rule(kinds=rule.kinds, children=rule.children if is_empty else {})
        return rule == bare and bool(rule.kinds & _OBJECT)
    return rule == _FREE


def _rule(schema: Any) -> Rule:
    if not isinstance(schema, dict):
        return Rule(needs_judge=schema is not True)
    rule = Rule(needs_judge=not _BEYOND.isdisjoint(schema))
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        rule.kinds = reduce(or_, (_KINDS[kind] for kind in kinds), 0)
    _bound(rule, schema)
    choices = [schema["const"]] if "const" in schema else None
    if "enum" in schema:
        choices = _common(choices, schema["enum"])
    rule.choices = choices
    rule.needs_judge |= not all(map(_is_plain, choices or []))
    rule.children = {name: _rule(inner) for name, inner in schema.get("properties", {}).items()}
    rule.required = set(schema.get("required", []))
    for name in rule.required:
        rule.children.setdefault(name, Rule())
    more = schema.get("additionalProperties", True)
    rule.closed = more is False
    rule.needs_judge |= not isinstance(more, bool)
    if rule.closed:  # a key that is required only is no key of `properties`
        rule.needs_judge |= not rule.required <= schema.get("properties", {}).keys()
    if "items" in schema:
        rule.items = _rule(schema["items"])
        rule.needs_judge |= not isinstance(schema["items"], dict | bool)
    return rule


def _bound(rule: Rule, schema: Mapping[str, Any]) -> None:
    lowest = [schema["minimum"]] if "minimum" in schema else []
    highest = [schema["maximum"]] if "maximum" in schema else []
    if "exclusiveMinimum" in schema:
        lowest.append(math.nextafter(schema["exclusiveMinimum"], math.inf))
    if "exclusiveMaximum" in schema:
        highest.append(math.nextafter(schema["exclusiveMaximum"], -math.inf))
    rule.needs_judge |= any(abs(bound) > MAX_EXACT_INT for bound in (*lowest, *highest))
    rule.minimum = max(map(float, lowest), default=-math.inf)
    rule.maximum = min(map(float, highest), default=math.inf)


def _is_plain(choice: object) -> bool:
    if isinstance(choice, int | float) and not isinstance(choice, bool):
        return abs(choice) <= MAX_EXACT_INT
    return isinstance(choice, str | bool | None)


def _common(some: list[Any] | None, others: list[Any] | None) -> list[Any] | None:
    """The choices that stand in both lists; None is a list of everything."""
    if some is None or others is None:
        return others if some is None else some
    return [one for one in some if any(_is_same(one, other) for other in others)]


def _is_same(one: object, other: object) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _both(one: Rule, other: Rule) -> Rule:
    names = one.children.keys() | other.children.keys()
    is_open = all(not rule.closed or rule.children.keys() == names for rule in (one, other))
    return Rule(
        kinds=one.kinds & other.kinds,
        needs_judge=one.needs_judge or other.needs_judge or not is_open,
        closed=one.closed or other.closed,
        minimum=max(one.minimum, other.minimum),
        maximum=min(one.maximum, other.maximum),
        choices=_common(one.choices, other.choices),
        children={
            name: _both(one.children.get(name, _FREE), other.children.get(name, _FREE))
            for name in names
        },
        required=one.required | other.required,
        items=_both(one.items or _FREE, other.items or _FREE) if one.items or other.items else None,
    )
