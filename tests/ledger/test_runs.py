"""Files of ids: many keys in little memory, old, damaged, a killed load's."""

import tracemalloc

import numpy as np
import pytest

from loader.errors import StorageError
from loader.ledger import Run, keys_of
from tests.ledger.test_ids import START, Ledger

MANY, CHUNK = 1_500_000, 50_000


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ids")


def chunks_of(seed):
    """The same many keys for the same seed, some at a time."""
    rng = np.random.default_rng(seed)
    for _ in range(MANY // CHUNK):
        yield np.frombuffer(rng.bytes(16 * CHUNK), dtype="S16")


def test_many_ids_are_told_from_others_in_memory_that_does_not_grow_with_them(ledger):
    index = ledger.open()
    tracemalloc.start()

    for keys in chunks_of(1):
        assert not index.contains(keys).any()
        index.add(keys)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert all(index.contains(keys).all() for keys in chunks_of(1))
    ledger.save(index)

    assert held < 18 * MANY / 2
    assert peak < 60_000_000
    again = ledger.open()
    assert all(again.contains(keys).all() for keys in chunks_of(1))
    assert not any(again.contains(keys).any() for keys in chunks_of(2))
    assert ledger.bytes == 18 * MANY
    assert {path.name for path in ledger.folder.iterdir()} == {run.file for run in ledger.runs}


def test_a_load_that_is_killed_half_way_leaves_what_was_known_as_it_was(ledger):
    ledger.add("a", "b")
    killed = ledger.open()
    for keys in chunks_of(1):
        killed.add(keys)
    left_over = {path.name for path in ledger.folder.iterdir()} - {r.file for r in ledger.runs}

    assert left_over
    assert ledger.has("a", "b", "c") == [True, True, False]
    assert not ledger.open().contains(next(chunks_of(1))).any()
    ledger.add("c")  # under the same load id
    assert ledger.has("a", "b", "c") == [True, True, True]


def test_a_file_as_it_was_written_before_is_read_and_then_replaced(ledger):
    keys = np.sort(keys_of(["a", "b", "c"]))
    day = (START - START.replace(2020)).days
    days = np.array([day, day, day - 40], dtype=np.uint16)
    ledger.folder.mkdir()
    (ledger.folder / "accepted-1-0.ids").write_bytes(keys.tobytes() + days.tobytes())
    ledger.runs = [Run("accepted-1-0.ids", "accepted", 3)]

    assert ledger.open().contains(keys).tolist() == [True, True, False]
    ledger.add("d")

    assert [(run.file, run.count) for run in ledger.runs] == [("accepted-1-0.keys", 3)]
    assert ledger.open().contains(keys).tolist() == [True, True, False]
    assert ledger.has("d") == [True]


@pytest.mark.parametrize("damage", [lambda p: p.unlink(), lambda p: p.write_bytes(b"x" * 17)])
def test_a_file_that_is_not_whole_is_told_of(ledger, damage):
    ledger.add("a", "b")
    damage(ledger.folder / ledger.runs[0].file)

    with pytest.raises(StorageError, match="the ids of 2 events loaded can't be read"):
        ledger.open()
