import pytest

from loader.durable import replacing
from loader.errors import StorageError


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def replace(path, text, *, then_fail=False):
    with replacing(path) as temporary:
        temporary.write_text(text)
        if then_fail:
            raise ZeroDivisionError


def fill_the_disk(path):
    with replacing(path) as temporary:
        temporary.symlink_to("/dev/full")
        temporary.write_text("x")


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "folder" / "file"
    replace(path, "before")

    with pytest.raises(ZeroDivisionError):
        replace(path, "half", then_fail=True)
    assert contents(path.parent) == {"file": "before"}

    replace(path, "after")
    assert contents(path.parent) == {"file": "after"}


def test_what_the_disk_refuses_is_told_with_the_place(tmp_path):
    with pytest.raises(StorageError, match=r"file: No space left on device\n  Fix: make room"):
        fill_the_disk(tmp_path / "file")

    assert contents(tmp_path) == {}
