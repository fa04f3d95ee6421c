"""The generator: the same bytes for ever, and a manifest that tells the truth about them."""

import gzip
import json
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest

from loader.demo.generator import generate


def lines_of(file: Path) -> list[bytes]:
    return file.read_bytes().splitlines()


def events_of(file: Path) -> list[dict]:
    """The events of the lines that are whole."""
    found = []
    for line in lines_of(file):
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


@pytest.mark.parametrize(
    ("seed", "events", "chunk_events", "digest"),
    [
        (11, 1000, 50_000, "5836b92710546f5a41d1180248c6e51d178a3714a0462ced2c24a3214b6b9e94"),
        (2, 5500, 1000, "84900f7d8539c802d9905578d0c7bac97b0d9f53fadc08dfa8dc8782c5142d93"),
        (3, 12_000, 6000, "c66acf9d6b5d43e65899a9d1223578801a9305827486d25a0e65ace3e6873365"),
    ],
)
def test_the_bytes_of_a_seed_never_change(tmp_path, seed, events, chunk_events, digest):
    file = tmp_path / "events.ndjson"

    generate(file, events, seed=seed, chunk_events=chunk_events)

    assert sha256(file.read_bytes()).hexdigest() == digest


def test_several_processes_write_what_one_writes(tmp_path):
    one, two = tmp_path / "one.ndjson", tmp_path / "two.ndjson"

    generate(one, 4000, seed=5, chunk_events=1000, jobs=1)
    generate(two, 4000, seed=5, chunk_events=1000, jobs=2)

    assert one.read_bytes() == two.read_bytes()


def test_gzip_holds_the_same_lines(tmp_path):
    plain, packed = tmp_path / "events.ndjson", tmp_path / "events.ndjson.gz"

    generate(plain, 1000, seed=5)
    manifest = generate(packed, 1000, seed=5)

    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert manifest["bytes_raw"] == plain.stat().st_size
    assert manifest["bytes_file"] == packed.stat().st_size


def test_the_manifest_counts_what_is_in_the_file(tmp_path):
    file = tmp_path / "events.ndjson"

    manifest = generate(file, 10_000, seed=4, chunk_events=5000)

    events = events_of(file)
    first_of_id = {event["messageId"]: event for event in reversed(events)}.values()
    types = Counter(event["type"] for event in first_of_id)
    nobodys = [event for event in first_of_id if not {"userId", "anonymousId"} & event.keys()]
    assert json.loads((tmp_path / "events.ndjson.manifest.json").read_text()) == manifest
    assert manifest["events"] == len(events) == 10_000
    assert manifest["unique"] == len(first_of_id)
    assert manifest["duplicates"] == len(events) - len(first_of_id) > 0
    assert manifest["malformed"] == len(lines_of(file)) - len(events) > 0
    assert {"type_" + name: count for name, count in types.items()} == {
        name: count for name, count in manifest.items() if name.startswith("type_")
    }
    assert manifest.get("no_identity", 0) == sum(e["type"] != "identify" for e in nobodys)


def test_lines_come_in_the_order_in_which_they_were_received(tmp_path):
    file = tmp_path / "events.ndjson"

    generate(file, 3000, seed=4, chunk_events=1000)

    received = [event["receivedAt"] for event in events_of(file)]
    assert received == sorted(received)


def test_a_handful_of_events_can_be_asked_for(tmp_path):
    file = tmp_path / "events.ndjson"

    manifest = generate(file, 3, seed=1)

    assert manifest["events"] == len(events_of(file)) == 3
