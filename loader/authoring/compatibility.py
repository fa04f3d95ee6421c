"""Whether what one JSON Schema lets in, another lets in too, and where not.

Two schemas are compared word by word, in step. What each word does to the values that pass is known
for most words; where two schemas differ in `anyOf`, `not` and the like, nobody can say in general:
then the answer is `unsure`.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import unquote

from loader.authoring.bounds import changed_numbers, changed_sizes
from loader.authoring.keywords import SPEAKS_OF, Schema, meaning, says_nothing, step, types_of
from loader.authoring.values import changed_values, values_of

Verdict = Literal["breaking", "unsure", "compatible"]

_KINDS: Final = frozenset({"array", "boolean", "null", "number", "object", "string"})
_UNDECIDABLE: Final = (
    *("allOf", "anyOf", "oneOf", "not", "contains", "dependencies", "propertyNames"),
    "patternProperties",
)
_CONDITION: Final = ("if", "then", "else")
_MAX_REFERENCES: Final = 20


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: breaking if values that passed before would not pass now."""

    verdict: Verdict
    rule: str
    path: str
    message: str


def compare_schemas(old: Schema, new: Schema, *, is_strict: bool = False) -> list[Change]:
    """What changed from `old` to `new`, each by its JSON path.

    Without a breaking or unsure change, what passed `old` passes `new`, but for one thing: `new`
    may describe a property that `old` did not speak of. `is_strict` calls that breaking too.
    """
    return list(_Comparison(old, new, is_strict=is_strict).compare(old, new, "$"))


class _Comparison:
    def __init__(self, old: Schema, new: Schema, *, is_strict: bool) -> None:
        self._old_root, self._new_root = old, new
        self._verdict_of_new: Verdict = "breaking" if is_strict else "compatible"
        self._open: set[tuple[int, int]] = set()  # pairs being compared, further out
        definitions = [_text({"properties": root.get("definitions", {})}) for root in (old, new)]
        self._same_definitions = definitions[0] == definitions[1]

    def compare(self, old: Any, new: Any, path: str) -> Iterator[Change]:
        """The changes from `old` to `new`, which stand at `path`."""
        old, new = _follow(old, self._old_root), _follow(new, self._new_root)
        if old is False:
            if new is not False:
                yield Change("compatible", "false", path, "is allowed now")
        elif says_nothing(new):
            if not says_nothing(old):
                yield Change("compatible", "true", path, "is not restricted any more")
        elif new is False:
            yield Change("breaking", "false", path, "is not allowed any more")
        else:
            old = {} if old is True else old
            pair = (id(old), id(new))
            if pair not in self._open:  # else it holds itself: alike if all the rest is
                self._open.add(pair)
                yield from self._compare_words(old, new, path)
                self._open.discard(pair)

    def _compare_words(self, old: Schema, new: Schema, path: str) -> Iterator[Change]:
        if "$ref" in old or "$ref" in new:
            yield Change("unsure", "$ref", path, "a `$ref` leads nowhere, or in circles")
            return
        values = values_of(old)
        if values is not None and not _refers(old) and not _refers(new):
            for is_refused, word, said in changed_values(values, old, new):
                yield _change(word, path, said, is_tightened=is_refused)
            return
        before, now = _kinds_of(old), _kinds_of(new)
        kinds = {kind for kind in before if _covers(now, kind)}
        yield from _compare_kinds(before, now, path)
        for word in ("enum", "const"):
            if word in new and not (word in old and self._is_same(word, old[word], new[word])):
                yield Change("breaking", word, path, f"`{word}` {json.dumps(new[word])} now")
        for is_tightened, word, said in _changed_bounds(old, new, kinds):
            yield _change(word, path, said, is_tightened=is_tightened)
        for kind, compare in (
            ("string", _compare_strings),
            ("array", self._compare_arrays),
            ("object", self._compare_objects),
        ):
            if kind in kinds:
                yield from compare(old, new, path)
        yield from self._compare_undecidable(old, new, path, kinds)

    def _compare_arrays(self, old: Schema, new: Schema, path: str) -> Iterator[Change]:
        before, now = old.get("uniqueItems", False), new.get("uniqueItems", False)
        if before != now:
            said = "has to have unique items now" if now else "may repeat an item now"
            yield _change("uniqueItems", path, said, is_tightened=now)
        before, now = old.get("items", True), new.get("items", True)
        if not isinstance(before, list) and not isinstance(now, list):
            yield from self.compare(before, now, f"{path}[*]")
        elif says_nothing(now):
            yield Change("compatible", "items", path, "items are not restricted any more")
        else:
            words = ("items", "additionalItems")
            if not all(self._is_same(word, old.get(word), new.get(word)) for word in words):
                yield Change("unsure", "items", path, "`items` differ, which go by their place")

    def _compare_objects(self, old: Schema, new: Schema, path: str) -> Iterator[Change]:
        before, now = set(old.get("required", [])), set(new.get("required", []))
        for name in sorted(now - before):
            yield Change("breaking", "required", path + step(name), "is required now")
        for name in sorted(before - now):
            yield Change("compatible", "required", path + step(name), "is not required any more")
        described, describes = old.get("properties", {}), new.get("properties", {})
        for name in dict.fromkeys([*described, *describes]):
            rules, place = _rules_for(name, old), path + step(name)
            if name not in described and says_nothing(rules):
                if not says_nothing(describes[name]):
                    said = "is described now, and was not spoken of before"
                    yield Change(self._verdict_of_new, "properties", place, said)
            else:
                yield from self.compare(rules, _rules_for(name, new), place)
        rest, rest_now = (
            old.get("additionalProperties", True),
            new.get("additionalProperties", True),
        )
        if rest_now is False and rest is not False:
            said = "properties that are not described are not allowed any more"
            yield Change("breaking", "additionalProperties", path, said)
        elif rest is False and rest_now is not False:
            said = "properties that are not described are allowed now"
            yield Change("compatible", "additionalProperties", path, said)
        else:
            yield from self.compare(rest, rest_now, f"{path}.*")

    def _compare_undecidable(
        self, old: Schema, new: Schema, path: str, kinds: set[str]
    ) -> Iterator[Change]:
        parts = [
            (word, old.get(word), new.get(word))
            for word in _UNDECIDABLE
            if kinds & set(SPEAKS_OF.get(word, kinds))
        ]
        for word, before, now in (*parts, ("if", _condition(old), _condition(new))):
            if self._is_same(word, before, now):
                continue
            if now is None and word == "patternProperties":
                # What they spoke of falls to `additionalProperties` now.
                is_open = says_nothing(new.get("additionalProperties", True))
            else:
                is_open = now is None or self._is_wider(word, before, now)
            said = f"`{word}` {'is gone' if now is None else 'differs'}"
            yield Change("compatible" if is_open else "unsure", word, path, said)

    def _is_wider(self, word: str, before: Any, now: Any) -> bool:
        """Whether a list of schemas lets in more than before: more of `anyOf`, less of `allOf`."""
        if before is None or word not in ("anyOf", "allOf"):
            return False
        fewer, more = (before, now) if word == "anyOf" else (now, before)
        return all(any(self._is_same("not", one, other) for other in more) for one in fewer)

    def _is_same(self, word: str, before: Any, now: Any) -> bool:
        """Whether a keyword means the same with the one value as with the other."""
        if _text({word: before}) != _text({word: now}):
            return False
        return not _refers({word: before}) or self._same_definitions


def _compare_kinds(before: set[str], now: set[str], path: str) -> Iterator[Change]:
    if not all(_covers(now, kind) for kind in before):
        said = f"was {_list(before)}, has to be {_list(now)} now"
        yield Change("breaking", "type", path, said)
    elif not all(_covers(before, kind) for kind in now):
        said = f"may be {_list(now)} now, was {_list(before)}"
        yield Change("compatible", "type", path, said)


def _changed_bounds(old: Schema, new: Schema, kinds: set[str]) -> Iterator[tuple[bool, str, str]]:
    if kinds & {"number", "integer"}:
        yield from changed_numbers(old, new, is_whole="number" not in kinds)
    for kind in sorted(kinds & {"string", "array", "object"}):
        yield from changed_sizes(old, new, kind)


def _compare_strings(old: Schema, new: Schema, path: str) -> Iterator[Change]:
    for word in ("pattern", "format"):
        before, now = old.get(word), new.get(word)
        if before != now:
            said = f"`{word}` {now or 'is gone'}{' now' if now else ''}, {before or 'none'} before"
            yield _change(word, path, said, is_tightened=now is not None)


def _change(rule: str, path: str, message: str, *, is_tightened: bool) -> Change:
    return Change("breaking" if is_tightened else "compatible", rule, path, message)


def _follow(schema: Any, root: Schema) -> Any:
    """What a `$ref` within the file leads to; `schema` itself if there is none, or it leads out."""
    for _ in range(_MAX_REFERENCES):
        if not isinstance(schema, dict) or "$ref" not in schema:
            return schema
        found: Any = root
        for word in str(schema["$ref"]).removeprefix("#").split("/")[1:]:
            name = unquote(word).replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, dict) else None
        if not str(schema["$ref"]).startswith("#") or not isinstance(found, dict | bool):
            return schema
        schema = found
    return schema


def _kinds_of(schema: Schema) -> set[str]:
    kinds = set(types_of(schema)) or set(_KINDS)
    return kinds - {"integer"} if "number" in kinds else kinds


def _covers(kinds: set[str], kind: str) -> bool:
    return kind in kinds or (kind == "integer" and "number" in kinds)


def _rules_for(name: str, schema: Schema) -> Any:
    """The rules of a property, but for `patternProperties`, which are compared as a whole."""
    described = schema.get("properties", {})
    if name in described:
        return described[name]
    if any(re.search(pattern, name) for pattern in schema.get("patternProperties", {})):
        return True
    return schema.get("additionalProperties", True)


def _condition(schema: Schema) -> Schema | None:
    """`if` with its `then` and `else`, as one schema; None if it says nothing."""
    if "if" not in schema or not {"then", "else"} & schema.keys():
        return None
    return {word: schema[word] for word in _CONDITION if word in schema}


def _text(schema: Schema) -> str:
    """`schema` as text that is the same for what means the same."""
    return json.dumps(meaning(schema), sort_keys=True)


def _refers(schema: Schema) -> bool:
    return '"$ref": ' in _text(schema)


def _list(kinds: set[str]) -> str:
    return "anything" if kinds == _KINDS else " or ".join(sorted(kinds))
