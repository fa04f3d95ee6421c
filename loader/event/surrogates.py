"""Halves of surrogate pairs, which an app leaves that cuts a text in the middle of an emoji."""

import re
from typing import Final

# A whole pair, or another escape (so that the d83d of \\ud83d is no escape's), or else a half.
_ESCAPES: Final = re.compile(
    rb"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\[^u])"
    rb"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def mend(text: bytes) -> bytes:
    r"""JSON text with each lone surrogate (`\ud83d`) replaced by U+FFFD, as TextEncoder does.

    JSON allows them, yet no UTF-8 can hold them, so most parsers refuse the whole text.
    """
    if b"\\u" not in text:
        return text
    return _ESCAPES.sub(lambda found: found[1] or rb"\ufffd", text)
