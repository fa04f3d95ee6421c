"""What is left open is sealed: cut where it was torn, or by the worker that is asked to."""

import threading
import time

import pytest

from loader.errors import StorageError
from loader.locks import exclusive
from loader.spool import recover, seal_all, seal_requested_at, sealed_segments
from tests.spool.place import line, padded, put, texts_in

FIRST, SECOND, THIRD = (line({"messageId": name}) for name in ("first", "second", "third"))
OPEN = ".open"


def recovered(tmp_path, text):
    """The lines of the segment that becomes of an open one with this text; None if none does."""
    path = put(tmp_path, text, suffix=OPEN)
    recover(path.parent)
    assert not path.exists()
    segments = sealed_segments(tmp_path)
    return texts_in(segments[0].path) if segments else None


@pytest.mark.parametrize("cut", range(len(FIRST + SECOND + THIRD) + 1))
def test_a_torn_tail_is_cut_behind_the_last_whole_line(tmp_path, cut):
    text = FIRST + SECOND + THIRD
    ends = [len(FIRST), len(FIRST + SECOND), len(text)]

    lines = recovered(tmp_path, text[:cut])

    whole = [FIRST, SECOND, THIRD][: sum(cut >= end for end in ends)]
    assert lines == ([found[:-1] for found in whole] or None)


@pytest.mark.parametrize("place", range(len(THIRD) - 1))
def test_a_last_line_with_a_damaged_byte_is_cut(tmp_path, place):
    damaged = bytearray(THIRD)
    damaged[place] ^= 0x40

    assert recovered(tmp_path, FIRST + SECOND + damaged) == [FIRST[:-1], SECOND[:-1]]


@pytest.mark.parametrize(
    "tail", [bytes(5000), b"\n" * 5000, b"\xff" * 100 + b"\n", b"x\n" * 9, THIRD[:30] + bytes(99)]
)
def test_what_a_crash_leaves_behind_the_last_line_is_cut(tmp_path, tail):
    assert recovered(tmp_path, padded(FIRST, SECOND) + tail) == [FIRST[:-1], SECOND[:-1]]


def test_a_damaged_line_before_a_whole_one_stays_to_be_told_of(tmp_path):
    damaged = SECOND.replace(b"second", b"sec0nd")

    lines = recovered(tmp_path, padded(FIRST, damaged) + padded(THIRD))

    assert lines == [FIRST[:-1], damaged[:-1], THIRD[:-1]]


def test_a_large_segment_is_cut_in_a_moment(tmp_path):
    big = line({"text": "x" * 5_000_000})

    started = time.monotonic()
    lines = recovered(tmp_path, big * 12 + big[:-100])

    assert len(lines) == 12
    assert time.monotonic() - started < 2


def test_recovery_leaves_what_is_sealed_and_is_done_once(tmp_path):
    sealed = put(tmp_path, FIRST, number=1)
    put(tmp_path, SECOND + b"torn", number=2, suffix=OPEN)

    for _ in range(2):
        recover(sealed.parent)

    texts = [texts_in(segment.path) for segment in sealed_segments(tmp_path)]
    assert texts == [[FIRST[:-1]], [SECOND[:-1]]]


def test_a_disk_that_refuses_is_told_of(tmp_path):
    path = put(tmp_path, FIRST + b"torn", suffix=OPEN)
    path.with_suffix(".sealed").mkdir()  # so that it can't be renamed

    with pytest.raises(StorageError, match=f"{path}"):
        recover(path.parent)


def test_orphans_are_sealed_and_a_living_workers_segments_are_waited_for(tmp_path):
    orphan = put(tmp_path, FIRST + b"torn", worker=0, suffix=OPEN)
    alive = put(tmp_path, SECOND, worker=1, suffix=OPEN)
    before = seal_requested_at(tmp_path)

    def worker():
        while seal_requested_at(tmp_path) == before:
            time.sleep(0.001)
        alive.rename(alive.with_suffix(".sealed"))

    with exclusive(alive.parent / "lock", "collector worker"):
        thread = threading.Thread(target=worker)
        thread.start()
        started = time.monotonic()
        seal_all(tmp_path)
        took = time.monotonic() - started
        thread.join()

    assert [texts_in(s.path) for s in sealed_segments(tmp_path)] == [[FIRST[:-1]], [SECOND[:-1]]]
    assert not orphan.exists()
    assert took < 1


def test_a_worker_that_does_not_answer_keeps_its_segment(tmp_path):
    alive = put(tmp_path, SECOND + b"just being writ", suffix=OPEN)
    content = alive.read_bytes()

    with exclusive(alive.parent / "lock", "collector worker"):
        started = time.monotonic()
        seal_all(tmp_path)
        took = time.monotonic() - started

    assert alive.read_bytes() == content
    assert sealed_segments(tmp_path) == []
    assert 2 <= took < 3


def test_a_worker_that_dies_while_it_is_waited_for_is_an_orphan(tmp_path):
    dying = put(tmp_path, SECOND, suffix=OPEN)
    lock = exclusive(dying.parent / "lock", "collector worker")
    lock.__enter__()

    def die_once_asked():
        while not seal_requested_at(tmp_path):
            time.sleep(0.001)
        lock.__exit__(None, None, None)

    thread = threading.Thread(target=die_once_asked)
    thread.start()
    seal_all(tmp_path)
    thread.join()

    assert [texts_in(segment.path) for segment in sealed_segments(tmp_path)] == [[SECOND[:-1]]]


def test_nobody_is_asked_where_nothing_is_open(tmp_path):
    put(tmp_path, FIRST)
    (tmp_path / "1").mkdir()

    with exclusive(tmp_path / "1" / "lock", "collector worker"):
        seal_all(tmp_path)

    assert seal_requested_at(tmp_path) == 0


def test_no_spool_is_an_empty_one(tmp_path):
    seal_all(tmp_path / "absent")

    assert sealed_segments(tmp_path / "absent") == []
    assert not (tmp_path / "absent").exists()


def test_every_request_differs_from_the_one_before(tmp_path):
    put(tmp_path, FIRST, suffix=OPEN)
    seen = set()

    for number in range(3):
        alive = put(tmp_path, FIRST, number=number + 5, suffix=OPEN)
        with exclusive(alive.parent / "lock", "collector worker"):
            thread = threading.Thread(target=seal_all, args=(tmp_path,))
            thread.start()
            while seal_requested_at(tmp_path) in seen | {0}:
                time.sleep(0.001)
            seen.add(seal_requested_at(tmp_path))
            for path in alive.parent.glob("*.open"):
                path.unlink()
            thread.join()

    assert len(seen) == 3
