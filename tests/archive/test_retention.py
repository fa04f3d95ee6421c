"""Days that nobody wants any more go; what is wanted stays."""

from datetime import UTC, date, datetime, timedelta

import pytest

from loader.archive import oldest_day, read_archive, remove_expired
from loader.load import load_files
from loader.warehouse import read_manifest
from tests.archive.test_archive import TRACK, kept

TODAY = date(2026, 11, 24)


def days_in(workspace):
    return sorted(path.name.removeprefix("_date=") for path in workspace.archive.iterdir())


def make_day(workspace, day):
    folder = workspace.archive / f"_date={day}"
    folder.mkdir(parents=True)
    (folder / "1.parquet").write_bytes(b"")


def test_days_older_than_archive_days_go(workspace):
    kept(workspace, days=2)
    for day in range(18, 25):
        make_day(workspace, f"2026-11-{day}")
    (workspace.archive / "a-note-of-somebody").write_text("")

    assert remove_expired(workspace, TODAY) == 4
    assert days_in(workspace) == ["2026-11-22", "2026-11-23", "2026-11-24", "a-note-of-somebody"]
    assert remove_expired(workspace, TODAY) == 0


def test_without_an_archive_there_is_nothing_to_remove(workspace):
    assert remove_expired(workspace, TODAY) == 0


@pytest.mark.parametrize("days", [10**6, 10**12])
def test_archive_days_may_be_for_ever(workspace, days):
    assert oldest_day(kept(workspace, days=days), TODAY) <= date(1, 1, 2)


def test_a_load_removes_what_is_too_old_and_does_not_write_it(workspace, load):
    kept(workspace, days=5)
    now = datetime.now(UTC)
    make_day(workspace, (now - timedelta(days=9)).date())
    yesterday, long_ago = now - timedelta(days=1), now - timedelta(days=50)

    report = load(
        {**TRACK, "messageId": "new", "receivedAt": yesterday.isoformat()},
        {**TRACK, "messageId": "old", "receivedAt": long_ago.isoformat()},
    )

    assert report.accepted == 2
    assert days_in(workspace) == [str(yesterday.date())]
    next_load_id = read_manifest(workspace).next_load_id
    assert [row.id for row in read_archive(workspace, next_load_id=next_load_id)] == ["new"]


def test_a_load_of_nothing_removes_it_too(workspace):
    make_day(workspace, "2001-01-01")

    load_files(workspace, [])

    assert days_in(workspace) == []
