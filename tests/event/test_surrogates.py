"""Half an emoji in JSON, against Python's own parser, which lets halves through."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loader.event.surrogates import mend

PIECES = [
    *("\\ud83d", "\\uDe00", "\\uD83D\\uDE00", "\\udfff", "\\uD800", "\\ud7ff", "\\ue000"),
    *("\\\\", "\\n", '\\"', "\\/", "\\u0041", "\\u005c", "ud83d", "\\\\ud83d", "d", "é", "😀", " "),
]


def without_halves(value):
    return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in value)


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_halves_become_the_replacement_character_and_all_else_stays(pieces):
    text = f'"{"".join(pieces)}"'

    mended = mend(text.encode())

    wanted = without_halves(json.loads(text))
    assert json.loads(mended) == wanted
    assert msgspec.json.decode(mended) == wanted


@given(st.recursive(st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner)))
def test_text_without_halves_is_left_byte_for_byte(value):
    for text in (json.dumps(value).encode(), json.dumps(value, ensure_ascii=False).encode()):
        assert mend(text) == text


@pytest.mark.parametrize("torn", [b'"\\ud83', b'"\\ud83"', b'"\\', b'"\\u', b'{"a":"\\ud83d'])
def test_a_torn_text_stays_torn(torn):
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(mend(torn))
