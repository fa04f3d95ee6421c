"""Old violations leave the manifest; everything else stays."""

from datetime import UTC, datetime

import pytest

from loader.warehouse import LakeFile, Manifest, expire_violations


def at(year, month, day):
    return datetime(year, month, day, 12, tzinfo=UTC)


def file(table, day, load_id):
    return LakeFile(f"{table}/_date={day}/{load_id}.parquet", table, day, load_id, 1)


@pytest.fixture
def manifest():
    return Manifest(
        next_load_id=10,
        files=[
            file("violations", "2025-01-01", 1),
            file("tracks", "2025-01-01", 1),
            file("loads", "2025-01-01", 1),
            file("violations", "2025-03-01", 2),
            file("loads", "2025-03-01", 2),
        ],
    )


def test_files_of_older_days_are_let_go(workspace, manifest):
    expired = expire_violations(workspace, manifest, at(2025, 4, 2))

    assert expired == [file("violations", "2025-01-01", 1)]
    assert file("tracks", "2025-01-01", 1) in manifest.files
    assert len(manifest.files) == 4
    assert [retired.file for retired in manifest.retired] == [found.file for found in expired]


def test_the_first_day_that_is_kept_is_kept(workspace, manifest):
    assert expire_violations(workspace, manifest, at(2025, 4, 1)) == []


def test_what_an_old_file_brought_lately_is_kept_as_long_as_what_came_lately(workspace, manifest):
    manifest.files.append(file("violations", "2020-01-01", 2))

    assert len(expire_violations(workspace, manifest, at(2025, 5, 2))) == 1
    assert len(expire_violations(workspace, manifest, at(2025, 5, 31))) == 2


def test_without_a_load_since_all_older_ones_go(workspace, manifest):
    assert len(expire_violations(workspace, manifest, at(2025, 9, 1))) == 2


def test_one_file_of_a_days_loads_tells_as_much_as_many(workspace, manifest):
    manifest.files[-2:] = [file("violations", "2024-12-31", 5), file("loads", "2025-03-01", 9)]

    assert len(expire_violations(workspace, manifest, at(2025, 5, 30))) == 1
    assert len(expire_violations(workspace, manifest, at(2025, 5, 31))) == 1
