import os
import time

from loader.event.values import ColumnType
from loader.ledger import Run
from loader.warehouse import LakeFile, LoadedFile, Manifest, commit_manifest, read_manifest

HOUR = 3_600


def commit(workspace, version):
    commit_manifest(workspace, Manifest(version=version))


def test_what_was_committed_is_read(workspace):
    manifest = Manifest(version=3, next_load_id=4, next_seq=99)
    manifest.catalog.add_column("order_completed", "total", ColumnType.INT).has_big_ints = True
    manifest.catalog.add_column("tracks", "context_ip", ColumnType.TEXT)
    manifest.files.append(
        LakeFile("tracks/_date=2024-05-01/3.parquet", "tracks", "2024-05-01", 3, 7)
    )
    manifest.loaded_files.append(LoadedFile("ab" * 32, 3))
    manifest.id_runs.append(Run("accepted-3-0.keys", "accepted", 7, {"2500": 7}))

    commit_manifest(workspace, manifest)
    found = read_manifest(workspace)

    assert found.catalog.to_json() == manifest.catalog.to_json()
    assert (found.version, found.next_load_id, found.next_seq) == (3, 4, 99)
    assert (found.files, found.loaded_files, found.id_runs) == (
        *(manifest.files, manifest.loaded_files, manifest.id_runs),
    )
    assert found.rows_by_table()["tracks"] == 7
    assert found.rows_by_table()["order_completed"] == 0


def test_before_the_first_load_the_manifest_is_empty(workspace):
    assert read_manifest(workspace).files == []
    assert not workspace.home.exists()


def test_versions_are_kept_as_long_as_a_query_may_need_them(workspace):
    for version in range(10):
        commit(workspace, version)
    assert len(list(workspace.versions.glob("*/*"))) == 10

    long_ago = time.time() - 2 * HOUR
    for path in workspace.versions.glob("*/*"):
        os.utime(path, (long_ago, long_ago))
    commit(workspace, 10)
    commit(workspace, 11)

    kept = sorted(workspace.versions.glob("*/*"))
    assert 2 < len(kept) < 6
    assert kept[0].samefile(workspace.manifest), "the newest must come first"
