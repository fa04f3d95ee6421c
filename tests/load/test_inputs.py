"""Every way in which input may come, whole or damaged."""

import gzip
import json

import pyarrow as pa
import pytest

from loader.errors import ConfigError, StorageError
from loader.load import load_files
from loader.warehouse import read_manifest
from tests.load.child import start_load


def track(number):
    event = {"type": "track", "event": "A", "userId": "u", "messageId": f"m{number}"}
    return json.dumps(event).encode() + b"\n"


def lines(*numbers):
    return b"".join(track(number) for number in numbers)


def zstd(data):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


MANY = lines(*range(3_000))


@pytest.fixture
def load_bytes(workspace, tmp_path):
    """Loads files of the given contents, in one load."""

    def load(*contents, name="events"):
        paths = [tmp_path / f"{name}{number}" for number in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        return load_files(workspace, [str(path) for path in paths])

    return load


WHOLE = {
    "plain": (lines(1, 2), 2),
    "no newline at the end": (lines(1, 2).strip(), 2),
    "crlf": (lines(1, 2).replace(b"\n", b"\r\n"), 2),
    "bom": (b"\xef\xbb\xbf" + lines(1, 2), 2),
    "blank lines": (b"\n\n  \n\t\r\n" + lines(1) + b"\n" + lines(2) + b"   ", 2),
    "gz": (gzip.compress(lines(1, 2)), 2),
    "gz of two members": (gzip.compress(lines(1)) + gzip.compress(lines(2)), 2),
    "gz with an empty member": (gzip.compress(b"") + gzip.compress(lines(1, 2)), 2),
    "gz with a bom": (gzip.compress(b"\xef\xbb\xbf" + lines(1, 2)), 2),
    "gz with padding": (gzip.compress(lines(1, 2)) + bytes(100), 2),
    "zst": (zstd(lines(1, 2)), 2),
    "zst of two frames": (zstd(lines(1)) + zstd(lines(2)), 2),
    "large zst": (zstd(MANY) + zstd(lines(5_000)), 3_001),
    "large gz": (gzip.compress(MANY) + gzip.compress(lines(5_000)), 3_001),
    "empty": (b"", 0),
    "only a bom": (b"\xef\xbb\xbf", 0),
    "one newline": (b"\n", 0),
    "empty gz": (gzip.compress(b""), 0),
    "empty zst": (zstd(b""), 0),
}


@pytest.mark.parametrize(("content", "events"), WHOLE.values(), ids=WHOLE)
def test_all_of_an_input_is_loaded(workspace, load_bytes, raw, content, events):
    report = load_bytes(content)

    assert (report.lines, report.events_in, report.accepted) == (events, events, events)
    assert raw(workspace, "select count(distinct id) from raw.tracks") == [(events,)]


def test_several_inputs_are_one_load_in_their_order(workspace, load_bytes, raw):
    report = load_bytes(lines(3, 1), gzip.compress(lines(2)), b"", lines(0))

    assert (report.load_id, report.accepted) == (1, 4)
    assert raw(workspace, "select id from raw.tracks order by _seq") == [
        *(("m3",), ("m1",), ("m2",), ("m0",))
    ]
    assert raw(workspace, "select distinct load_id from raw.loads") == [(1,)]


GZIPPED = gzip.compress(MANY)
DAMAGED = {
    "gz cut": GZIPPED[:-100],
    "gz cut in its trailer": GZIPPED[:-4],
    "gz cut in its header": GZIPPED[:5],
    "gz of another checksum": GZIPPED[:-8] + b"abcd" + GZIPPED[-4:],
    "gz with a hole": GZIPPED[:500] + b"damage" + GZIPPED[506:],
    "gz and something else": gzip.compress(lines(1)) + b"something else",
    "gz cut in an endless line": gzip.compress(b"x" * 20_000_000)[:-10],
    "zst cut": zstd(MANY)[:-1],
    "zst cut in its header": zstd(MANY)[:6],
    "zst and something else": zstd(lines(1)) + b"something else",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_input_loads_nothing_and_says_which(workspace, load_bytes, raw, content):
    load_bytes(lines(9_000), name="before")
    before = workspace.manifest.read_bytes()

    with pytest.raises(StorageError, match=r"events1: damaged or cut off.*\n  Fix: nothing"):
        load_bytes(lines(9_001), content)

    assert workspace.manifest.read_bytes() == before
    assert raw(workspace, "select id from raw.tracks") == [("m9000",)]
    listed = {file.file for file in read_manifest(workspace).files}
    found = {str(p.relative_to(workspace.lake)) for p in workspace.lake.rglob("*.*")}
    assert {name for name in found if not name.split("/")[-1].startswith("_date=")} == listed

    assert load_bytes(lines(9_001), lines(1)).accepted == 2


@pytest.mark.parametrize(("name", "found"), [("absent.ndjson", "nothing"), ("", "a folder")])
def test_a_missing_input_is_refused_before_anything_is_done(workspace, tmp_path, name, found):
    with pytest.raises(ConfigError, match=f"found {found}, wanted a file of NDJSON"):
        load_files(workspace, [str(tmp_path / name)])

    assert not workspace.home.exists()


def test_a_missing_input_among_others_loads_none_of_them(workspace, write_ndjson, tmp_path):
    present = write_ndjson([{"type": "page", "userId": "u"}])

    with pytest.raises(ConfigError, match="absent"):
        load_files(workspace, [present, str(tmp_path / "absent")])

    assert read_manifest(workspace).files == []


@pytest.mark.parametrize("kind", ["plain", "gz", "zst"])
def test_standard_input_is_read(workspace, raw, kind):
    with start_load(workspace, "-") as child:
        outcome = json.loads(child.communicate(WHOLE[kind][0])[0])

    assert outcome["accepted"] == 2
    assert raw(workspace, "select id from raw.tracks order by _seq") == [("m1",), ("m2",)]


def test_progress_grows_to_the_size_of_all_inputs(workspace, write_ndjson, tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(MANY)
    second.write_bytes(gzip.compress(lines(*range(5_000, 9_000))))
    total = first.stat().st_size + second.stat().st_size
    told = []

    load_files(workspace, [str(first), str(second)], progress=lambda *step: told.append(step))

    assert told == sorted(told)
    assert told[-1] == (total, total)
