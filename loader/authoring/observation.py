"""What values events have had at each place, and the rules that all of them keep."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from jsonschema import Draft7Validator

from loader.event.naming import snake_case

# What it takes to draft a rule; fewer events prove nothing.
MIN_EVENTS: Final = 100  # to call a property required
MIN_ENUM_EVENTS: Final = 500  # to call a text one of a few
MAX_ENUM_VALUES: Final = 10
MIN_EVENTS_PER_VALUE: Final = 20  # each of the few has come so often

_MAX_ENUM_CHARACTERS: Final = 40
_MAX_NAMES: Final = 200  # beyond it an object's keys are data, not names
_MAX_DEPTH: Final = 16
_KINDS: Final = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
_ORDER: Final = ("object", "array", "string", "number", "integer", "boolean", "null")
_FORMATS: Final = Draft7Validator.FORMAT_CHECKER
_AMOUNTS: Final = frozenset(
    {
        *("amount", "arr", "balance", "budget", "cost", "discount", "fee", "ltv", "mrr", "price"),
        *("revenue", "shipping", "subtotal", "tax", "total", "value"),
    }
)
_COUNTS: Final = frozenset({"count", "duration", "length", "quantity", "size"})
_FREE_TEXTS: Final = frozenset(
    {
        *("address", "body", "description", "email", "id", "key", "message", "name", "path"),
        *("phone", "query", "referrer", "search", "sku", "slug", "text", "title", "token"),
        *("url", "username", "uuid"),
    }
)


class Observed:
    """All values that were seen at one place."""

    __slots__ = ("is_map", "is_time", "items", "kinds", "least", "names", "texts")

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.least: float | None = None
        self.texts: Counter[str] | None = Counter()  # None: too many, or too long, to be a few
        self.is_time = True  # of all texts
        self.names: dict[str, Observed] = {}
        self.is_map = False
        self.items: Observed | None = None

    def add(self, value: Any, depth: int = _MAX_DEPTH) -> None:
        """Take one value, and what it holds, into account."""
        kind = _KINDS[type(value)]
        self.kinds[kind] += 1
        if kind == "string":
            self._add_text(value)
        elif kind in ("integer", "number"):
            self.least = value if self.least is None else min(self.least, value)
        elif kind == "object":
            self._add_object(value, depth)
        elif kind == "array" and value and depth:
            self.items = self.items or Observed()
            for item in value:
                self.items.add(item, depth - 1)

    def _add_text(self, text: str) -> None:
        if self.is_time:
            self.is_time = _FORMATS.conforms(text, "date-time")
        if self.texts is not None:
            self.texts[text] += 1
            if len(self.texts) > MAX_ENUM_VALUES or len(text) > _MAX_ENUM_CHARACTERS:
                self.texts = None

    def _add_object(self, found: Mapping[str, Any], depth: int) -> None:
        if self.is_map or not depth:
            return
        for name, value in found.items():
            place = self.names.get(name)
            if place is None:
                place = self.names[name] = Observed()
            place.add(value, depth - 1)
        if len(self.names) > _MAX_NAMES:
            self.is_map, self.names = True, {}


def draft_rules(observed: Observed, name: str = "") -> dict[str, Any]:
    """The rules, as a schema, that all values seen keep; `name` is the property's."""
    kinds = [kind for kind in _ORDER if observed.kinds[kind]]
    if "number" in kinds and "integer" in kinds:
        kinds.remove("integer")
    words = snake_case(name).split("_")
    if kinds and kinds[0] == "integer" and words[-1] in _AMOUNTS:
        kinds[0] = "number"  # the next amount may have cents
    if kinds in ([], ["null"]):
        return {}
    rules: dict[str, Any] = {"type": kinds[0] if len(kinds) == 1 else kinds}
    if "string" in kinds:
        rules.update(_draft_text(observed, words[-1]))
    if observed.least is not None and observed.least >= 0 and words[-1] in _AMOUNTS | _COUNTS:
        rules["minimum"] = 0
    if "object" in kinds:
        rules.update(draft_object(observed))
    if observed.items is not None:
        rules["items"] = draft_rules(observed.items)
    return rules


def draft_object(observed: Observed) -> dict[str, Any]:
    """`required` and `properties` of the objects seen; {} where their keys are data."""
    if observed.is_map:
        return {}
    seen = observed.kinds["object"]
    required = [
        name
        for name, place in observed.names.items()
        if seen >= MIN_EVENTS and place.kinds.total() == seen and not place.kinds["null"]
    ]
    described = {name: draft_rules(place, name) for name, place in observed.names.items()}
    return {**({"required": required} if required else {}), "properties": described}


def _draft_text(observed: Observed, last_word: str) -> dict[str, Any]:
    seen = observed.kinds["string"]
    if observed.is_time:
        return {"format": "date-time"}
    is_one_of_few = (
        observed.texts is not None
        and seen == observed.kinds.total()
        and seen >= MIN_ENUM_EVENTS
        and min(observed.texts.values()) >= MIN_EVENTS_PER_VALUE
        and last_word not in _FREE_TEXTS
    )
    return {"enum": sorted(observed.texts)} if is_one_of_few and observed.texts else {}
