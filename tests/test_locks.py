import os

import pytest

from loader.errors import Busy
from loader.locks import exclusive, holder_of


def test_a_lock_is_held_by_one_and_let_go(tmp_path):
    path = tmp_path / ".headwater" / "load.lock"
    assert holder_of(path) is None

    with exclusive(path, "load"):
        assert holder_of(path) == os.getpid()
        told = f"another load is at work here.*{os.getpid()}"
        with pytest.raises(Busy, match=told) as raised, exclusive(path, "load"):
            pytest.fail("two hold one lock")
        assert str(tmp_path) in str(raised.value)

    assert holder_of(path) is None
    with exclusive(path, "load") as was_killed:
        assert not was_killed


def test_a_holder_that_failed_leaves_word_for_the_next(tmp_path):
    path = tmp_path / ".headwater" / "load.lock"
    with pytest.raises(ZeroDivisionError), exclusive(path, "load"):
        raise ZeroDivisionError

    assert holder_of(path) is None
    with exclusive(path, "load") as was_killed:
        assert was_killed


def test_a_refused_second_does_not_take_the_firsts_name_away(tmp_path):
    path = tmp_path / ".headwater" / "load.lock"
    with exclusive(path, "load"):
        for _ in range(2):
            with pytest.raises(Busy), exclusive(path, "load"):
                pass
        assert holder_of(path) == os.getpid()
