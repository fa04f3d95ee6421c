"""Segments of several workers as one stream."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from isal.isal_zlib import crc32

from loader.errors import StorageError
from loader.spool import delete_segments, read_spool, sealed_segments, spool_size
from tests.spool.place import line, padded, put


def at(second):
    return f"2026-11-20T10:00:{second:09.6f}Z"


def names(spool):
    return [found.envelope and bytes(found.envelope.body) for found in read_all(spool)]


def read_all(spool):
    return list(read_spool(sealed_segments(spool)))


def test_requests_of_all_workers_come_in_the_order_of_arrival(tmp_path):
    put(tmp_path, line(b"1", at=at(1)) + line(b"4", at=at(4)), worker=0, number=1)
    put(tmp_path, line(b"6", at=at(6)), worker=0, number=2)
    put(tmp_path, line(b"2", at=at(2)) + line(b"5", at=at(4)), worker=1, number=1)
    put(tmp_path, line(b"3", at=at(3)), worker=10, number=1)

    assert names(tmp_path) == [b"1", b"2", b"3", b"4", b"5", b"6"]


def test_a_worker_whose_clock_was_set_back_keeps_its_order(tmp_path):
    put(tmp_path, line(b"1", at=at(5)) + line(b"2", at=at(1)), number=1)
    put(tmp_path, line(b"3", at=at(0)), number=2)

    assert names(tmp_path) == [b"1", b"2", b"3"]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 5_000), st.booleans()),
        max_size=30,
    )
)
def test_any_spool_is_read_whole_and_each_line_where_it_stands(tmp_path_factory, requests):
    spool = tmp_path_factory.mktemp("spool")
    texts = {}
    for number, (worker, second, size, is_written) in enumerate(requests):
        body = b'{"n":%d,"x":"%b"}' % (number, b"x" * size)
        found = line(body, at=at(second))
        texts[worker] = texts.get(worker, b"") + (padded(found) if is_written else found)
    paths = {worker: put(spool, text, worker=worker) for worker, text in texts.items()}

    found = read_all(spool)

    assert len(found) == len(requests)
    for one in found:
        text = paths[one.worker].read_bytes()[one.offset :]
        assert text.startswith(one.text + b"\n")
    for worker in texts:
        offsets = [one.offset for one in found if one.worker == worker]
        assert offsets == sorted(offsets)
    is_sorted = all(
        [r[1] for r in requests if r[0] == w] == sorted(r[1] for r in requests if r[0] == w)
        for w in texts
    )
    if is_sorted:
        keys = [(one.received_at, one.worker, one.offset) for one in found]
        assert keys == sorted(keys)


def test_a_damaged_line_has_no_envelope_and_keeps_its_place(tmp_path):
    good, bad = line(b"1", at=at(1)), line(b"2", at=at(2)).replace(b"2", b"3")
    put(tmp_path, good + bad + line(b"4", at=at(4)), worker=0)
    put(tmp_path, line(b"3", at=at(3)), worker=1)

    first, damaged, third, fourth = read_all(tmp_path)

    assert (damaged.envelope, damaged.text, damaged.offset) == (None, bad[:-1], len(good))
    assert damaged.received_at == at(1)
    assert [bytes(found.envelope.body) for found in (first, third, fourth)] == [b"1", b"3", b"4"]


@pytest.mark.parametrize(
    "text", [b"{}", b'{"source":null}', b"[1]", b"", b"[" * 5000 + b"]" * 5000]
)
def test_a_whole_line_that_is_none_of_ours_has_no_envelope(tmp_path, text):
    put(tmp_path, b"%08x\t%b\n" % (crc32(text), text))

    assert [found.envelope for found in read_all(tmp_path)] == [None]


def test_a_line_longer_than_a_block_is_one_line(tmp_path):
    body = b'{"x":"%b"}' % (b"x" * 5_000_000)
    put(tmp_path, padded(line(b"1")) + padded(line(body)) + padded(line(b"2")))

    assert names(tmp_path) == [b"1", body, b"2"]


def test_empty_segments_and_a_missing_last_line_end_do_no_harm(tmp_path):
    put(tmp_path, b"", number=1)
    put(tmp_path, b"\n" * 4096, number=2)
    put(tmp_path, line(b"1")[:-1], number=3)

    assert names(tmp_path) == [b"1"]


def test_what_was_loaded_is_removed_and_the_rest_stays(tmp_path):
    put(tmp_path, line(b"1"), number=1)
    put(tmp_path, line(b"2"), number=2)
    put(tmp_path, line(b"3"), number=3, suffix=".open")
    done, waiting = sealed_segments(tmp_path)

    assert spool_size(tmp_path) == (3 * len(line(b"1")), 3)
    for _ in range(2):  # again, as after a kill
        delete_segments(tmp_path, [done.key, "7/absent"])
    assert sealed_segments(tmp_path) == [waiting]
    assert spool_size(tmp_path)[1] == 2


def test_a_segment_that_cannot_be_read_is_told_of(tmp_path):
    path = put(tmp_path, line(b"1"))
    segments = sealed_segments(tmp_path)
    path.unlink()

    with pytest.raises(StorageError, match=str(path)):
        list(read_spool(segments))
