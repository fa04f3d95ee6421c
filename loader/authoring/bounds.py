"""How far a value may go, before and after: `minimum`, `maxLength`, `multipleOf` and their like."""

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from loader.authoring.keywords import Schema

_NUMBERS: Final = (
    ("minimum", "exclusiveMinimum", 1),
    ("maximum", "exclusiveMaximum", -1),
)
SIZES: Final = {
    "string": (("minLength", "", 1), ("maxLength", "", -1)),
    "array": (("minItems", "", 1), ("maxItems", "", -1)),
    "object": (("minProperties", "", 1), ("maxProperties", "", -1)),
}
_Edge = tuple[float, bool, str]  # how far (negated for an upper one), whether it is outside, word


def changed_numbers(old: Schema, new: Schema, *, is_whole: bool) -> Iterator[tuple[bool, str, str]]:
    """(is tightened, keyword, what changed) of a number's bounds; `is_whole`: an integer's."""
    for inclusive, exclusive, sign in _NUMBERS:
        before = _edge(old, inclusive, exclusive, sign, is_whole=is_whole)
        now = _edge(new, inclusive, exclusive, sign, is_whole=is_whole)
        yield from _compare(before, now, old, new)
    yield from _changed_multiple(old, new, is_whole=is_whole)


def changed_sizes(old: Schema, new: Schema, kind: str) -> Iterator[tuple[bool, str, str]]:
    """The same of the size of a string, an array or an object."""
    for word, _, sign in SIZES[kind]:
        nothing = (0.0, False, word) if sign > 0 else None
        before = _edge(old, word, "", sign) or nothing
        now = _edge(new, word, "", sign) or nothing
        yield from _compare(before, now, old, new)


def _edge(
    schema: Schema, inclusive: str, exclusive: str, sign: int, *, is_whole: bool = False
) -> _Edge | None:
    edges = [
        (sign * schema[word], is_outside, word)
        for word, is_outside in ((inclusive, False), (exclusive, True))
        if word in schema
    ]
    if is_whole:
        edges = [
            (math.floor(far) + 1 if is_outside else math.ceil(far), False, word)
            for far, is_outside, word in edges
        ]
    return max(edges, default=None)


def _compare(
    before: _Edge | None, now: _Edge | None, old: Schema, new: Schema
) -> Iterator[tuple[bool, str, str]]:
    if before is None and now is not None:
        yield True, now[2], f"`{now[2]}` {new[now[2]]} now, no bound before"
    elif before is not None and now is None:
        yield False, before[2], f"`{before[2]}` {old[before[2]]} is gone"
    elif before is not None and now is not None and before[:2] != now[:2]:
        was, becomes = old.get(before[2], "none"), new.get(now[2], "none")
        yield now[:2] > before[:2], now[2], f"`{now[2]}` {becomes} now, `{before[2]}` {was} before"


def _changed_multiple(
    old: Schema, new: Schema, *, is_whole: bool
) -> Iterator[tuple[bool, str, str]]:
    word = "multipleOf"
    before, now = old.get(word), new.get(word)
    if now is None:
        if before is not None:
            yield False, word, f"`{word}` {before} is gone"
        return
    if before == now:
        return
    steps = Fraction(str(before)) if before is not None else Fraction(1) if is_whole else None
    is_tightened = steps is None or steps % Fraction(str(now)) != 0
    if is_tightened or before is not None:
        yield is_tightened, word, f"`{word}` {now} now, {before or 'none'} before"
