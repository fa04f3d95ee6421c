"""The spool's writer: durable lines, sealed segments, and a disk that refuses."""

import resource
import subprocess
from contextlib import contextmanager, suppress

import pytest

from loader.spool import LineBuffer, SpoolWriter
from loader.spool.line import encode_line, is_whole
from tests.sdks.needs import skip

LINE = b"".join(
    encode_line({"receivedAt": "2026-01-01T00:00:00.000000Z", "source": "web"}, b'{"a":1}')
)


def make_writer(folder, **options):
    folder.mkdir(exist_ok=True)
    return SpoolWriter(folder, **{"seal_bytes": 10**9, "seal_seconds": 3600.0} | options)


def gathered(*lines):
    buffer = LineBuffer(sum(map(len, lines)))
    for line in lines:
        buffer.add([line])
    return buffer


def lines_in(path):
    return [line for line in path.read_bytes().split(b"\n") if line]


def sealed(folder):
    return sorted(folder.glob("*.sealed"))


@contextmanager
def largest_file(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def small_disk(path, size="256k"):
    path.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
        skip("needs the right to mount a tmpfs, to have a disk that is full")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def test_lines_are_in_the_open_segment_when_write_returns(tmp_path):
    writer = make_writer(tmp_path)

    writer.write(gathered(LINE, LINE))
    writer.write(gathered(LINE))

    (path,) = tmp_path.glob("*.open")
    assert lines_in(path) == [LINE[:-1]] * 3
    assert all(map(is_whole, lines_in(path)))


def test_a_group_of_many_megabytes_is_written_whole(tmp_path):
    writer = make_writer(tmp_path)
    body = b'{"a":"%b"}' % (b"x" * 5_000_000)
    long = b"".join(encode_line({"receivedAt": "", "source": None}, body))

    writer.write(gathered(long, LINE, long, LINE))
    writer.seal()

    (path,) = sealed(tmp_path)
    assert lines_in(path) == [long[:-1], LINE[:-1], long[:-1], LINE[:-1]]


def test_a_segment_is_sealed_once_it_is_large_enough(tmp_path):
    writer = make_writer(tmp_path, seal_bytes=10_000)

    for _ in range(5):
        writer.write(gathered(LINE))
        writer.seal_if_due()

    assert len(sealed(tmp_path)) == 1
    assert len(lines_in(sealed(tmp_path)[0])) == 3


def test_a_segment_is_sealed_once_it_is_old_enough(tmp_path):
    writer = make_writer(tmp_path, seal_seconds=0.0)

    writer.write(gathered(LINE))
    writer.seal_if_due()

    assert len(sealed(tmp_path)) == 1
    assert list(tmp_path.glob("*.open")) == []


def test_sealing_nothing_leaves_nothing(tmp_path):
    writer = make_writer(tmp_path)

    writer.seal()
    writer.seal_if_due()

    assert list(tmp_path.iterdir()) == []


def test_of_a_group_that_did_not_fit_nothing_counts_and_what_was_there_stays(tmp_path):
    writer = make_writer(tmp_path)
    writer.write(gathered(LINE))

    with largest_file(4096 * 2), pytest.raises(OSError, match="large"):
        writer.write(gathered(LINE * 50, LINE * 50))
    writer.write(gathered(LINE))
    writer.seal()

    assert [lines_in(path) for path in sealed(tmp_path)] == [[LINE[:-1]], [LINE[:-1]]]


def test_a_full_disk_refuses_and_recovers_by_itself(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        writer = make_writer(disk)
        (disk / "hog").write_bytes(bytes(150_000))
        written = 0

        with suppress(OSError):
            while True:
                writer.write(gathered(LINE * 100))
                written += 100
        with pytest.raises(OSError, match="No space"):
            writer.write(gathered(LINE * 100))
        with pytest.raises(OSError, match="No space"):
            writer.probe()
        (disk / "hog").unlink()
        writer.probe()
        writer.write(gathered(LINE))
        writer.seal()

        found = [lines_in(path) for path in sealed(disk)]
        assert sum(map(len, found)) == written + 1
        assert written > 0


def test_a_disk_that_turned_read_only_refuses_and_recovers_by_itself(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        writer = make_writer(disk)
        writer.write(gathered(LINE))
        writer.seal()

        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(OSError, match="Read-only"):
            writer.write(gathered(LINE))
        with pytest.raises(OSError, match="Read-only"):
            writer.probe()
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        writer.write(gathered(LINE))
        writer.seal()

        assert [lines_in(path) for path in sealed(disk)] == [[LINE[:-1]], [LINE[:-1]]]


def test_a_segment_that_somebody_removed_does_not_stop_the_writer(tmp_path):
    writer = make_writer(tmp_path)
    writer.write(gathered(LINE))
    for path in tmp_path.glob("*.open"):
        path.unlink()

    writer.seal()
    writer.probe()
    writer.write(gathered(LINE))
    writer.seal()

    assert [lines_in(path) for path in sealed(tmp_path)] == [[LINE[:-1]]]


def test_names_go_up_also_where_the_clock_is_set_back(tmp_path):
    (tmp_path / f"{10**20 - 2}-abcd.sealed").write_bytes(LINE)
    writer = make_writer(tmp_path)

    writer.write(gathered(LINE))
    writer.seal()

    assert sealed(tmp_path)[-1].name.startswith(str(10**20 - 1))
