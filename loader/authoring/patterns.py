"""Regular expressions that one engine takes differently from another.

Contracts are read by Python's `re`, by a Rust engine, and by whatever else a team feeds them to
(JavaScript, Go, BigQuery). JSON Schema means JavaScript's dialect.
"""

import re
from collections.abc import Iterator
from typing import Final

# Escapes stand for themselves, a class as a whole; `(?…` and quantifiers are what is looked at.
_PART: Final = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?(?:<[=!]|[^)]?)|[*+?}]\+|\{,|.", re.S
)
_UNICODE_CLASSES: Final = {
    "d": "[0-9]",
    "D": "[^0-9]",
    "w": "[A-Za-z0-9_]",
    "W": "[^A-Za-z0-9_]",
    "b": "what may stand beside",
    "B": "what may stand beside",
}
_GROUPS: Final = {
    "(?=": "looks ahead, which Go and BigQuery can't",
    "(?!": "looks ahead, which Go and BigQuery can't",
    "(?<=": "looks behind, which Go and BigQuery can't",
    "(?<!": "looks behind, which Go and BigQuery can't",
    "(?P": "names a group as only Python does",
    "(?#": "holds a comment, which JavaScript doesn't know",
    "(?>": "has an atomic group, which JavaScript doesn't know",
    "(?(": "has a conditional group, which JavaScript doesn't know",
}


def dialect_of(pattern: str) -> Iterator[str]:
    """Each thing in `pattern` that engines take differently, and what to write instead."""
    found: dict[str, None] = {}
    for part in _PART.findall(pattern):
        found.update(dict.fromkeys(_remarks(part)))
    yield from found


def _remarks(part: str) -> Iterator[str]:
    if part.startswith("["):
        for escaped in re.findall(r"\\(.)", part, re.S):
            if escaped in "dDwW":
                yield from _remarks(f"\\{escaped}")
    elif part.startswith("\\"):
        letter = part[1]
        if letter in _UNICODE_CLASSES:
            wanted = _UNICODE_CLASSES[letter]
            yield f"`{part}` goes by ASCII or by all scripts; write {wanted}"
        elif letter in "AZ":
            yield f"`{part}` is Python's; write {'^' if letter == 'A' else '$'}"
        elif letter.isdigit() and letter != "0":
            yield f"`{part}` refers back, which Go and BigQuery can't"
    elif part.startswith("(?") and part not in ("(?:", "(?<"):
        yield f"`{part}` {_GROUPS.get(part, 'sets a flag, which JavaScript does not know')}"
    elif len(part) == 2 and part[1] == "+":
        yield f"`{part}` is possessive, which JavaScript doesn't know"
    elif part == "{,":
        yield "`{,` counts from 0 in Python and stands for itself in JavaScript"
