"""The compiled kernel under bad input: what it can't read is Python's, and never ends a load."""

import json
import random

import pytest

from loader.load import load_files

KNOWN = 200  # events, after which the kernel knows all of their keys


def event(number):
    return {
        "messageId": f"m{number}",
        "type": "track",
        "event": "Ticked",
        "userId": "u",
        "timestamp": "2024-05-01T10:00:00.000Z",
        "properties": {"text": 'a "b" ☂', "count": number, "list": [1, {"a": "x"}], "is": True},
        "context": {"ip": "1.2.3.4", "page": {"url": "https://a.example/?utm_source=b"}},
    }


def text(number):
    return json.dumps(event(number), ensure_ascii=False, separators=(",", ":")).encode()


@pytest.fixture
def load_lines(workspace, tmp_path):
    def load(lines):
        file = tmp_path / "events.ndjson"
        file.write_bytes(b"\n".join(lines))
        return load_files(workspace, [str(file)])

    return load


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"Ticked"', b'"Tick\xff"'),
        (b'"Ticked"', b'"Tick\x01"'),
        (b'"Ticked"', rb'"Tick\x"'),
        (b'"m999"', b'"m\xc3"'),
        (b'"u"', b'"\xed\xa0\x80"'),
        (b'"track"', b'"tr\\"ack'),
        ("☂".encode(), b"\xe2\x98"),
        (b'"count":999', b'"count":1e999'),
        (b'"count":999', b'"count":01'),
        (b"[1,", b"[1,,"),
        (b"}}}", b"}}"),
    ],
)
def test_what_is_malformed_is_kept_back_and_its_neighbours_are_loaded(load_lines, old, new):
    broken = text(999).replace(old, new)
    assert broken != text(999)

    report = load_lines([*map(text, range(KNOWN)), broken, text(KNOWN)])

    assert (report.accepted, report.blocked) == (KNOWN + 1, 1)


def test_whatever_bytes_are_changed_every_event_is_counted(load_lines):
    chance = random.Random(4)
    lines = [*map(text, range(KNOWN))]
    for number in range(KNOWN, KNOWN + 3_000):
        line = bytearray(text(number))
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(line))
            line[at : at + chance.randrange(3)] = chance.choice(
                [b"", b'"', b"\\", b"{", b"}", b",", b"\xff", b"\\u00", b"1e9", b"null"]
            )
        lines.append(bytes(line).replace(b"\n", b""))

    report = load_lines(lines)

    assert report.events_in == len(lines)
    assert report.events_in == report.accepted + report.blocked + report.duplicates
