from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loader.ledger import IdIndex, keys_of

START = date(2026, 1, 1)


class Ledger:
    """An index that is closed and opened anew for each load, as loads do."""

    def __init__(self, folder):
        self.folder = folder
        self.runs = []
        self.loads = 0

    def open(self, day=0, dedupe_days=30, kind="accepted"):
        return IdIndex(
            self.folder,
            kind,
            self.runs,
            load_id=self.loads + 1,
            today=START + timedelta(days=day),
            dedupe_days=dedupe_days,
        )

    def save(self, index):
        self.loads += 1
        self.runs = index.save()

    @property
    def bytes(self):
        return sum((self.folder / run.file).stat().st_size for run in self.runs)

    def add(self, *ids, day=0, dedupe_days=30):
        index = self.open(day, dedupe_days)
        index.add(keys_of(ids))
        self.save(index)

    def has(self, *ids, day=0, dedupe_days=30):
        return self.open(day, dedupe_days).contains(keys_of(ids)).tolist()


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ids")


def test_an_id_is_known_at_once_and_in_later_loads(ledger):
    index = ledger.open()
    index.add(keys_of(["a", "b"]))

    assert index.contains(keys_of(["a", "b", "c"])).tolist() == [True, True, False]
    ledger.save(index)
    assert ledger.has("a", "b", "c") == [True, True, False]


def test_what_was_not_saved_is_not_known(ledger):
    ledger.open().add(keys_of(["a"]))

    assert ledger.has("a") == [False]


def test_an_id_is_forgotten_after_the_window(ledger):
    ledger.add("a", day=0)

    assert ledger.has("a", day=30) == [True]
    assert ledger.has("a", day=31) == [False]


def test_an_id_that_comes_back_after_the_window_starts_a_new_one(ledger):
    ledger.add("a", *map(str, range(100)), day=0)
    ledger.add("a", day=31)

    assert ledger.has("a", "5", day=61) == [True, False]
    assert ledger.has("a", day=62) == [False]


def test_a_window_made_longer_and_shorter_again_loses_no_newer_day(ledger):
    ledger.add("a", *map(str, range(100)), day=0)
    ledger.add("a", day=31)
    ledger.add(*map(str, range(200, 400)), day=32, dedupe_days=60)  # merges all of them

    assert ledger.has("a", day=35, dedupe_days=30) == [True]


def test_kinds_are_kept_apart(ledger):
    ledger.add("a")

    assert not ledger.open(kind="blocked").contains(keys_of(["a"])).any()


def test_an_id_costs_eighteen_bytes(ledger):
    for load in range(20):
        ledger.add(*(f"{load}-{i}" for i in range(500)))

    assert sum(run.count for run in ledger.runs) == 10_000
    assert ledger.bytes == 18 * 10_000


def test_an_id_costs_at_most_twenty_four_bytes_on_any_day_though_others_expire(ledger):
    for day in range(100):
        ledger.add(*(f"{day}-{i}" for i in range(100)), day=day)

        assert ledger.bytes <= 24 * 100 * min(day + 1, 31)


def test_a_run_that_is_all_expired_is_forgotten_by_the_next_load(ledger):
    ledger.add(*map(str, range(1_000)), day=0)

    ledger.add("a", day=31)

    assert [run.count for run in ledger.runs] == [1]


def test_ids_that_come_back_for_ever_do_not_pile_up(ledger):
    for window in range(20):
        ledger.add(*map(str, range(100)), day=31 * window)

    assert [run.count for run in ledger.runs] == [100]


def test_many_loads_leave_few_files(ledger):
    for load in range(100):
        ledger.add(f"{load}")

    assert len(ledger.runs) <= 8
    assert all(ledger.has(*map(str, range(100))))


def test_a_file_that_was_written_is_not_changed_later(ledger):
    ledger.add(*map(str, range(100)))
    path = ledger.folder / ledger.runs[0].file
    before = path.read_bytes()

    for load in range(10):
        ledger.add(f"x{load}")

    assert path.read_bytes() == before


def test_any_text_is_an_id():
    texts = ["", "\x00", "\x00\x00", "é", "e\u0301", "\ud800", "x" * 10_000]

    assert len(set(keys_of(texts).tolist())) == len(texts)


def test_no_ids_at_all_are_fine(ledger):
    ledger.add()

    assert ledger.runs == []
    assert ledger.has() == []


def test_keys_that_share_their_first_half_are_told_apart(ledger):
    keys = np.array([b"12345678" + bytes([65 + i] * 8) for i in range(9)], dtype="S16")
    known = {7, 0, 3}
    for day, places in ((0, [7, 0, 3]), (20, [4, 2]), (31, [8, 0])):
        index = ledger.open(day)
        index.add(keys[places])
        known = {8, 0, 4, 2} if day == 31 else known | set(places)

        assert index.contains(keys).tolist() == [place in known for place in range(9)]
        ledger.save(index)
        assert ledger.open(day).contains(keys).tolist() == [place in known for place in range(9)]


@pytest.mark.parametrize("ending", [b"\x00", b"\x00\x00", b"\xff", b""])
def test_keys_that_end_in_zeros_are_told_apart(ledger, ending):
    keys = np.array([b"k" * (16 - len(ending)) + ending], dtype="S16")
    index = ledger.open()

    index.add(keys)

    assert index.contains(keys).all()
    assert not index.contains(np.array([b"k" * 15 + b"j"], dtype="S16")).any()


ids = st.lists(st.integers(0, 60), unique=True, max_size=25)


@settings(max_examples=60, deadline=None)
@given(loads=st.lists(st.tuples(st.integers(0, 20), st.lists(ids, max_size=4)), max_size=12))
def test_the_index_agrees_with_a_plain_dict(tmp_path_factory, loads):
    ledger = Ledger(tmp_path_factory.mktemp("ids"))
    loaded_on = {}
    day = 0
    for days_later, chunks in loads:
        day += days_later
        index = ledger.open(day)
        for chunk in chunks:
            wanted = [day - loaded_on.get(i, -99) <= 30 for i in chunk]
            assert index.contains(keys_of(map(str, chunk))).tolist() == wanted
            fresh = [i for i, is_known in zip(chunk, wanted, strict=True) if not is_known]
            index.add(keys_of(map(str, fresh)))
            loaded_on |= dict.fromkeys(fresh, day)
        ledger.save(index)
    known = [day - loaded_on.get(i, -99) <= 30 for i in range(61)]
    assert ledger.has(*map(str, range(61)), day=day) == known
