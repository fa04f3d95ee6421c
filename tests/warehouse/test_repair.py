"""What a crash, a move or a trespasser leaves behind is put right by the next command."""

import json
import shutil

import pyarrow.parquet as pq
import pytest

from loader.config import Workspace
from loader.errors import Busy, StorageError
from loader.event.naming import CALL_TABLES
from loader.load import load_files
from loader.warehouse import connect, read_manifest, repair
from tests.conftest import make_workspace
from tests.load.child import start_module

PAGE = {"type": "page", "userId": "u"}


@pytest.fixture
def trespasser(workspace, load):
    """A process that has written to the published file and still has it open."""
    load({**PAGE, "messageId": "1"})
    with start_module("tests.warehouse.trespasser", str(workspace.warehouse)) as process:
        assert process.stdout.readline() == b"wrote\n"
        yield process
        process.kill()


def test_every_raw_table_is_there_and_typed_before_the_first_load(workspace, raw):
    assert repair(workspace) == []

    views = "select view_name from duckdb_views() where schema_name = 'raw'"
    found = {name for (name,) in raw(workspace, views)}
    assert found == {*CALL_TABLES.values(), "violations", "loads", "schema_changes"}
    for table in found:
        assert raw(workspace, f"select count(*) from raw.{table}") == [(0,)]
    types = dict(raw(workspace, "select column_name, column_type from (describe raw.pages)"))
    assert len(types) >= 18
    assert types["timestamp"] == "TIMESTAMP WITH TIME ZONE"
    assert types["context_campaign_source"] == "VARCHAR"


def test_a_workspace_in_order_is_left_as_it_is(workspace, load):
    load(PAGE)
    before = {path: path.stat().st_mtime_ns for path in workspace.home.rglob("*")}

    assert repair(workspace) == []

    assert {path: path.stat().st_mtime_ns for path in workspace.home.rglob("*")} == before


def test_a_log_left_by_a_killed_writer_is_moved_aside_and_told(workspace, trespasser, load, raw):
    trespasser.kill()
    trespasser.wait()
    log = workspace.warehouse.with_name("warehouse.duckdb.wal")
    assert log.exists(), "the trespasser left nothing to repair"
    left = log.read_bytes()

    (message,) = repair(workspace)

    assert "was left by a process that opened warehouse.duckdb for writing" in message
    assert not log.exists()
    (aside,) = workspace.home.glob("warehouse.duckdb.wal.*")
    assert aside.name in message
    assert aside.read_bytes() == left
    assert repair(workspace) == []
    assert load({**PAGE, "messageId": "2"}, {"type": "track", "event": "New", "userId": "u"})
    assert raw(workspace, "select id from raw.pages order by _seq") == [("1",), ("2",)]
    assert raw(workspace, "select count(*) from raw.new") == [(1,)]


def test_a_load_does_not_wait_for_a_writer_and_its_tables_show_afterwards(
    workspace, trespasser, load, raw
):
    report = load({**PAGE, "messageId": "2"}, {"type": "track", "event": "New", "userId": "u"})

    assert report.accepted == 2
    assert "open for writing elsewhere" in report.warnings[0]
    with pytest.raises(Busy, match="open for writing in another process"):
        connect(workspace)

    trespasser.kill()
    trespasser.wait()
    assert len(repair(workspace)) == 1
    assert raw(workspace, "select count(*) from raw.pages") == [(2,)]
    assert raw(workspace, "select count(*) from raw.new") == [(1,)]


def test_a_workspace_that_was_moved_shows_the_tables_where_it_is_now(workspace, load, raw):
    load(PAGE)
    moved = Workspace(workspace.root.parent / "elsewhere" / "moved")
    shutil.move(workspace.root, moved.root)

    assert repair(moved) == []

    assert raw(moved, "select count(*) from raw.pages") == [(1,)]
    assert repair(moved) == []


def test_a_copy_of_a_workspace_has_tables_of_its_own(workspace, load, raw, write_ndjson):
    load(PAGE)
    copy = Workspace(workspace.root.parent / "copy")
    shutil.copytree(workspace.root, copy.root)

    load_files(copy, [write_ndjson([{**PAGE, "messageId": "2"}])])

    assert raw(copy, "select count(*) from raw.pages") == [(2,)]
    assert raw(workspace, "select count(*) from raw.pages") == [(1,)]


@pytest.mark.parametrize(
    "name",
    [
        "with space",
        "q'u\"o",
        "[x]",
        "a*b",
        "[a-z]*",
        "Ünï 🎉",
        "event=1",
        "_date=2020-01-01",
        "{a,b}",
        "%41",
        "$HOME",
        "-rf",
        "raw; drop schema raw",
    ],
)
def test_a_workspace_may_have_any_name(tmp_path, write_ndjson, raw, name):
    workspace = make_workspace(tmp_path / name)
    event = {"type": "track", "event": "A", "userId": "u", "receivedAt": "2024-05-01T10:00:00Z"}

    load_files(workspace, [write_ndjson([event])])

    assert raw(workspace, "select event, _date::varchar from raw.tracks") == [("a", "2024-05-01")]


def test_a_commit_that_was_killed_before_readers_could_know_is_shown(workspace, load, raw):
    load({**PAGE, "messageId": "1"})
    load({**PAGE, "messageId": "2"})
    min(workspace.versions.glob("*/*")).unlink()  # the newest, as if its load had been killed there
    assert raw(workspace, "select count(*) from raw.pages") == [(1,)]

    repair(workspace)

    assert raw(workspace, "select count(*) from raw.pages") == [(2,)]


@pytest.mark.parametrize("is_repaired_first", [False, True])
def test_what_a_killed_first_load_left_is_swept(workspace, load, raw, is_repaired_first):
    folder = workspace.lake / "pages" / "_date=2024-05-01"
    folder.mkdir(parents=True)
    workspace.ids.mkdir()
    for path in (folder / "1.parquet", folder / "2.tmp", workspace.ids / ".accepted-1-0.ids.tmp"):
        path.write_bytes(b"half")
    (workspace.home / "load.lock").write_text("12345\n")  # as the kernel leaves a killed holder's

    if is_repaired_first:
        repair(workspace)
    load({**PAGE, "receivedAt": "2024-05-02T10:00:00Z"})

    assert not list(folder.iterdir())
    assert len(list(workspace.ids.iterdir())) == 1
    assert raw(workspace, "select count(*) from raw.pages") == [(1,)]


def test_a_damaged_manifest_is_told(workspace, load):
    load(PAGE)
    workspace.manifest.write_bytes(workspace.manifest.read_bytes()[:-100])

    with pytest.raises(StorageError, match=r"manifest.parquet: the manifest can't be read"):
        repair(workspace)


def test_a_manifest_of_a_newer_format_is_refused(workspace, load):
    load(PAGE)
    with pq.ParquetFile(workspace.manifest) as stored:
        table = stored.read()
    footer = {**json.loads(table.schema.metadata[b"headwater"]), "format_version": 99}
    newer = table.replace_schema_metadata({b"headwater": json.dumps(footer)})
    workspace.manifest.unlink()
    pq.write_table(newer, workspace.manifest)

    with pytest.raises(StorageError, match=r"format 99.*\n  Fix: upgrade headwater"):
        read_manifest(workspace)


def test_a_damaged_published_file_is_told_and_can_be_moved_away(workspace, load, raw):
    load(PAGE)
    workspace.warehouse.chmod(0o644)
    workspace.warehouse.write_bytes(b"no database at all" * 1000)

    with pytest.raises(StorageError, match="raw tables live in the lake and lose nothing"):
        repair(workspace)

    workspace.warehouse.unlink()
    repair(workspace)
    assert raw(workspace, "select count(*) from raw.pages") == [(1,)]
