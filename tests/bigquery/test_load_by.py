"""Loads by the Storage Write API and by way of Cloud Storage leave what load jobs leave."""

import pytest

from loader.load import load_files
from tests.bigquery.asking import rows_of
from tests.bigquery.conftest import on_bigquery
from tests.bigquery.proxy import CHUNK, JOB, LOAD, Proxy
from tests.bigquery.storage import CloudStorage
from tests.bigquery.wire import Wire
from tests.conftest import make_workspace
from tests.end_to_end.road import kill_when, start

EVENTS = [
    {
        "type": "track",
        "event": "Thing",
        "userId": f"u{n}",
        "messageId": f"m{n}",
        "receivedAt": f"2026-03-0{n % 5 + 1}T10:00:00Z",
        # of another type than the column has: kept in _rescued
        "properties": {"n": n, "seen_at": "2026-03-04T05:06:07.89Z", "kind": 5 if n == 7 else "a"},
    }
    for n in range(20)
]
LATER = [{**EVENTS[0], "messageId": "later", "properties": {"n": 1, "added": 2.5}}]
THING = (
    "select id, user_id, received_at, n, seen_at, kind, added, to_json_string(_rescued) "
    "from {raw}.thing"
)


@pytest.fixture
def proxy(emulator):
    with Proxy(emulator.url).running() as proxy:
        yield proxy


@pytest.fixture
def load(tmp_path, emulator, proxy, write_ndjson):
    """Loads EVENTS, LATER, and both again, with these settings; gives the workspace."""

    def load_all(name, **settings):
        root = make_workspace(tmp_path / name)
        workspace = on_bigquery(root, emulator, base_url=proxy.url, **settings)
        for events in (EVENTS, LATER, [*EVENTS, *LATER]):
            load_files(workspace, [write_ndjson(events)])
        return workspace

    return load_all


@pytest.fixture
def by_jobs(load):
    rows = sorted(rows_of(load("jobs"), THING), key=str)
    assert len(rows) == 21
    return rows


def test_the_storage_write_api_leaves_the_same_rows_without_a_load_job(load, by_jobs, proxy):
    before = proxy.count(LOAD)

    workspace = load("written", load_by="storage_write")

    assert sorted(rows_of(workspace, THING), key=str) == by_jobs
    assert proxy.count(LOAD) == before


def test_staging_leaves_the_same_rows_and_nothing_in_the_bucket(
    load, by_jobs, proxy, emulator, monkeypatch
):
    before = proxy.count(LOAD) + proxy.count(CHUNK)
    with CloudStorage(emulator.buckets) as storage:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage.url)
        bucket = storage.make_bucket("load-by-1")

        workspace = load("staged", staging_bucket="gs://load-by-1/events")

        uploaded = [request for request in storage.requests if request.startswith("POST")]

    assert sorted(rows_of(workspace, THING), key=str) == by_jobs
    assert proxy.count(LOAD) + proxy.count(CHUNK) == before
    assert proxy.count(JOB) > before
    assert uploaded
    assert [path for path in bucket.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("share", [0.001, 0.5, 0.999])
def test_a_load_by_storage_write_that_is_killed_leaves_each_event_once(
    tmp_path, emulator, write_ndjson, share
):
    padded = [
        {**EVENTS[0], "messageId": f"p{n}", "properties": {"n": n, "text": f"{n}" * 500}}
        for n in range(6_000)
    ]
    file = write_ndjson(padded)
    with Wire(emulator.storage_url) as wire:
        settings = {"load_by": "storage_write", "storage_url": wire.url}
        workspace = on_bigquery(make_workspace(tmp_path / "workspace"), emulator, **settings)
        load_files(workspace, [file])
        whole = wire.sent

        again = on_bigquery(make_workspace(tmp_path / "again"), emulator, **settings)
        loading = start("load", file, "--workspace", again.root)
        kill_when(loading, lambda: wire.sent - whole > whole * share)
        load_files(again, [file])

        counted = "select count(*), count(distinct id), sum(n) from {raw}.thing"
        assert rows_of(again, counted) == rows_of(workspace, counted)
        assert rows_of(again, "select sum(`rows`) from {raw}.loads where table_name = 'thing'") == [
            (6_000,)
        ]
