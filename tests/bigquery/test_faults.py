"""What goes wrong on the way to BigQuery: each event is there once in the end, and it is told."""

import os
import signal
import subprocess
import sys

import pytest

from loader.errors import AccessDenied, ConfigError, LoaderError, Unavailable
from loader.load import load_files
from loader.warehouse import read_manifest
from loader.warehouse.bigquery.shipment import pending, read_shipping
from tests.bigquery.asking import rows_of
from tests.bigquery.conftest import on_bigquery
from tests.bigquery.proxy import (
    ACCESS_DENIED,
    BACKEND,
    CHUNK,
    JOB,
    LOAD,
    NO_DATASET,
    QUOTA,
    UNAVAILABLE,
    WRITES,
    Break,
    Do,
    Proxy,
)
from tests.bigquery.standin import Emulator
from tests.conftest import make_workspace

SECOND_LOAD_WRITES = 6  # whether loads count, two tables by two requests each, and the commit


def track(number, **properties):
    return {
        "type": "track",
        "event": "Thing",
        "userId": f"u{number}",
        "messageId": f"m{number}",
        "properties": properties or {"n": number},
    }


@pytest.fixture
def workspace(tmp_path, emulator, proxy):
    return on_bigquery(make_workspace(tmp_path / "workspace"), emulator, base_url=proxy.url)


@pytest.fixture
def load(workspace, write_ndjson):
    def load_events(*events):
        return load_files(workspace, [write_ndjson(events)])

    return load_events


def assert_each_is_there_once(workspace, *numbers):
    wanted = [(f"m{number}",) for number in sorted(numbers)]
    for table in ("thing", "tracks"):
        assert rows_of(workspace, f"select id from {{raw}}.{table} order by id") == wanted
    twice = "select load_id, table_name from {raw}.loads group by 1, 2 having count(*) > 1"
    assert rows_of(workspace, twice) == []
    missing = "select id from {raw}.thing where load_id not in (select load_id from {raw}.loads)"
    assert rows_of(workspace, missing) == []
    shipping = read_shipping(workspace)
    assert shipping.shipment is None
    assert pending(workspace, read_manifest(workspace))[0] == 0


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("write", range(SECOND_LOAD_WRITES))
def test_a_load_that_is_killed_is_finished_by_the_next(
    workspace, proxy, load, write_ndjson, write, is_done
):
    load(track(1))
    second = write_ndjson([track(2), track(3)], "second.ndjson")
    command = [sys.executable, "-m", "loader.cli", "--workspace", str(workspace.root), "load"]
    children = []
    kill = Do(lambda: os.kill(children[0].pid, signal.SIGKILL), is_done=is_done)
    proxy.fail(WRITES, kill, passing=write)

    children.append(subprocess.Popen([*command, second], stderr=subprocess.DEVNULL))
    assert children[0].wait() == -signal.SIGKILL
    load_files(workspace, [second])  # it was committed here: only what is on its way goes on
    load(track(4))

    assert_each_is_there_once(workspace, 1, 2, 3, 4)


def test_the_second_load_writes_so_often(workspace, proxy, load):
    """Else the test above misses a moment."""
    load(track(1))
    before = proxy.count(WRITES)

    load(track(2), track(3))

    assert proxy.count(WRITES) - before == SECOND_LOAD_WRITES


def test_jobs_are_as_many_as_tables_however_many_events(workspace, proxy, load):
    load(track(1))
    before = proxy.count(LOAD)

    load(*map(track, range(2, 500)))

    assert proxy.count(LOAD) - before == 2  # thing and tracks


@pytest.mark.parametrize("fault", [UNAVAILABLE, BACKEND, Break.CUT, Break.LOSE_ANSWER])
@pytest.mark.parametrize("where", [LOAD, CHUNK, JOB])
def test_what_passes_is_tried_again(workspace, proxy, load, fault, where):
    load(track(1))
    proxy.fail(where, fault, times=2)

    load(track(2), track(3))

    assert_each_is_there_once(workspace, 1, 2, 3)


@pytest.mark.parametrize("fault", [UNAVAILABLE, Break.CUT, Break.LOSE_ANSWER])
def test_what_lasts_is_told_and_the_next_load_goes_on(workspace, proxy, load, brief, fault):
    load(track(1))
    proxy.fail(CHUNK, fault, times=None)

    with pytest.raises(Unavailable, match=r"(?s)load \d+ into .*Fix: nothing is lost"):
        load(track(2))
    assert pending(workspace, read_manifest(workspace))[0] == 2  # in thing and in tracks
    proxy.heal()
    load(track(3))

    assert_each_is_there_once(workspace, 1, 2, 3)


def test_a_quota_is_named_and_not_beaten_against(workspace, proxy, load):
    load(track(1))
    proxy.fail(LOAD, QUOTA, times=None)
    before = proxy.count(LOAD)

    with pytest.raises(Unavailable, match=r"(?s)quota.*Fix: nothing is lost"):
        load(track(2))

    assert proxy.count(LOAD) - before == 2  # one a table
    proxy.heal()
    load(track(3))
    assert_each_is_there_once(workspace, 1, 2, 3)


def test_a_missing_permission_is_named(workspace, proxy, load):
    proxy.fail(JOB, ACCESS_DENIED, times=None)

    with pytest.raises(AccessDenied, match=r"(?s)bigquery.jobs.create.*docs/how-to/bigquery.md"):
        load(track(1))

    proxy.heal()
    load(track(2))
    assert_each_is_there_once(workspace, 1, 2)


def test_a_missing_dataset_is_named(workspace, proxy, load):
    proxy.fail(r"POST /bigquery/v2/projects/[^/]+/datasets/[^/]+/tables", NO_DATASET, times=None)

    with pytest.raises(ConfigError, match=r"(?s)Dataset .*warehouse.location is EU.*Fix: check"):
        load(track(1))

    proxy.heal()
    load(track(2))
    assert_each_is_there_once(workspace, 1, 2)


def test_the_same_file_again_goes_on_with_what_waits(workspace, proxy, load, write_ndjson, brief):
    file = write_ndjson([track(1)])
    proxy.fail(CHUNK, Break.CUT, times=None)
    with pytest.raises(Unavailable):
        load_files(workspace, [file])
    proxy.heal()

    report = load_files(workspace, [file])

    assert report.already_loaded == [file]
    assert_each_is_there_once(workspace, 1)


def test_rows_with_json_come_once_too(workspace, proxy, load):
    load(track(1, n=1))
    proxy.fail(JOB, Break.LOSE_ANSWER, times=3)

    load(track(2, n="x"), track(3, n=3))

    assert_each_is_there_once(workspace, 1, 2, 3)
    found = rows_of(workspace, "select _rescued from {raw}.thing where id = 'm2'")
    assert found == [({"/properties/n": "x"},)]


def test_a_table_that_was_dropped_by_hand_is_made_anew_and_told(workspace, load):
    load(track(1))
    rows_of(workspace, "drop table {raw}.thing")

    report = load(track(2))

    [message] = report.warnings
    assert "thing was gone and is made anew" in message
    assert "headwater load --rebuild thing" in message
    assert rows_of(workspace, "select id from {raw}.thing") == [("m2",)]


def test_a_log_that_is_dropped_after_its_job_was_done_comes_back_whole(workspace, proxy, load):
    load({**track(1), "userId": ""})
    # The first job asks for the log of loads; the second adds violations, and nobody hears of it.
    proxy.fail(r"POST /bigquery/v2/projects/[^/]+/jobs", Break.LOSE_ANSWER, passing=1)
    job = r"GET /bigquery/v2/projects/[^/]+/jobs/hw_\d+_violations-json_1\?"
    proxy.fail(job, ACCESS_DENIED, times=None)
    with pytest.raises(AccessDenied):
        load({**track(2), "userId": ""})
    assert proxy.count(job)
    proxy.heal()
    rows_of(workspace, "drop table {raw}.violations")

    load_files(workspace, [])

    found = rows_of(workspace, "select message_id from {raw}.violations order by 1")
    assert found == [("m1",), ("m2",)]


def test_rows_that_were_half_deleted_by_hand_are_not_guessed_at(workspace, proxy, load, brief):
    load(track(1))
    proxy.fail(CHUNK, Break.LOSE_ANSWER, times=None)
    with pytest.raises(Unavailable):
        load(track(2), track(3))
    proxy.heal()
    rows_of(workspace, "delete from {raw}.thing where id = 'm3'")
    proxy.fail(r"GET /bigquery/v2/projects/[^/]+/jobs/hw_", NO_DATASET, times=None)

    with pytest.raises(LoaderError, match=r"has 1 rows of loads .* wanted none or 2"):
        load(track(4))


def test_jobs_that_nobody_remembers_are_not_repeated(workspace, proxy, load, brief):
    load(track(1))
    proxy.fail(CHUNK, Break.LOSE_ANSWER, times=None)
    with pytest.raises(Unavailable):
        load(track(2), track(3))
    proxy.heal()
    proxy.fail(r"GET /bigquery/v2/projects/[^/]+/jobs/hw_", NO_DATASET, times=2)
    before = proxy.count(LOAD)

    load_files(workspace, [])

    assert proxy.count(LOAD) == before
    assert_each_is_there_once(workspace, 1, 2, 3)


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
def test_bigquery_that_restarts_in_the_midst_of_a_load(tmp_path, write_ndjson, emulator, is_done):
    own = Emulator(tmp_path / "own").start()
    try:
        with Proxy(own.url).running() as proxy:
            workspace = on_bigquery(make_workspace(tmp_path / "w"), own, base_url=proxy.url)
            load_files(workspace, [write_ndjson([track(1)], "1.ndjson")])

            def restart():
                own.kill()
                own.start()

            proxy.fail(CHUNK, Do(restart, is_done=is_done))
            load_files(workspace, [write_ndjson([track(2), track(3)], "2.ndjson")])

            assert_each_is_there_once(workspace, 1, 2, 3)
    finally:
        own.stop()
