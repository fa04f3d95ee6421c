"""What a collector spooled becomes rows: each event once, whatever was spooled or left behind."""

import json
import threading

import pytest

from loader.errors import Busy, ConfigError
from loader.load import load_files
from loader.locks import exclusive
from loader.spool import encode_line, sealed_segments
from loader.warehouse import read_manifest
from tests.load.child import start_load
from tests.load.spooled import DAY, at, batch, ids, track
from tests.load.test_killed_load import unlisted
from tests.spool.place import line


def test_what_was_spooled_is_loaded_in_the_order_of_arrival_and_removed(
    workspace, spool, load_spool, raw
):
    spool(line(batch(track("1"), track("2")), at=at(1)), line(track("5"), at=at(4)), worker=0)
    spool(line(track("6"), at=at(5)), worker=0, number=2)
    spool(line(track("3"), at=at(2)), line(track("4"), at=at(3)), worker=1)

    report = load_spool()

    assert (report.lines, report.events_in, report.accepted) == (5, 6, 6)
    assert ids(raw, workspace) == ["1", "2", "3", "4", "5", "6"]
    assert raw(
        workspace, "select id, received_at::varchar from raw.tracks where id in ('2','3')"
    ) == [
        ("2", f"{DAY} 10:00:01+00"),
        ("3", f"{DAY} 10:00:02+00"),
    ]
    assert sealed_segments(workspace.spool) == []
    assert unlisted(workspace) == set()


def test_an_empty_spool_and_none_at_all_change_nothing(workspace, load_spool):
    assert load_spool().events_in == 0
    before = workspace.manifest.read_bytes()
    (workspace.spool / "0").mkdir(parents=True)

    report = load_spool()

    assert (report.events_in, report.load_id) == (0, None)
    assert workspace.manifest.read_bytes() == before


def test_files_are_loaded_without_a_look_at_the_spool(workspace, spool, load, load_spool, raw):
    spool(line(track("spooled")))

    load(track("filed"))

    assert ids(raw, workspace) == ["filed"]
    assert len(sealed_segments(workspace.spool)) == 1
    load_spool()
    assert ids(raw, workspace) == ["filed", "spooled"]


def test_a_source_by_option_speaks_of_files_only(workspace):
    with pytest.raises(ConfigError, match="--source without FILE"):
        load_files(workspace, [], source="web")


def test_an_event_is_loaded_once_across_segments_workers_and_loads(
    workspace, spool, load_spool, load, raw
):
    load(track("filed"))
    spool(line(track("1")), line(track("1")), line(track("filed")), worker=0)
    spool(line(batch(track("1"), track("2"))), worker=1)
    first = load_spool()
    spool(line(batch(track("2"), track("3"))), number=2)
    second = load_spool()

    assert (first.accepted, first.duplicates) == (2, 3)
    assert (second.accepted, second.duplicates) == (1, 1)
    assert ids(raw, workspace) == ["filed", "1", "2", "3"]


def test_segments_of_a_load_that_was_killed_before_it_removed_them_are_not_loaded_again(
    workspace, spool, load_spool, raw
):
    without_id = {"type": "track", "event": "A", "userId": "u"}
    lines = [line(without_id), line(batch(without_id, track("1")))]
    path = spool(*lines)
    load_spool()
    spool(*lines)  # as if the kill had come before
    another = spool(line(track("2")), number=2)

    report = load_spool()

    assert (report.events_in, report.accepted) == (1, 1)
    assert not path.exists()
    assert not another.exists()
    assert read_manifest(workspace).loaded_segments == [f"0/{another.stem}"]
    assert raw(workspace, "select count(*) from raw.tracks") == [(4,)]


def test_a_segment_read_again_gives_the_same_ids(workspace, tmp_path, spool, load_spool, raw):
    without_id = {"type": "track", "event": "A", "userId": "u"}
    lines = [line(without_id), line(without_id), line(batch(without_id, without_id, 5))]
    path = spool(*lines)
    first = load_spool()
    spool(*lines, worker=1)  # the same name elsewhere: not known as loaded

    again = load_spool()

    start = len(lines[0])
    assert (first.accepted, first.blocked) == (4, 1)
    assert (again.accepted, again.blocked, again.duplicates) == (0, 0, 5)
    assert ids(raw, workspace) == [
        f"http-{path.stem}-0",
        f"http-{path.stem}-{start}",
        f"http-{path.stem}-{2 * start}-0",
        f"http-{path.stem}-{2 * start}-1",
    ]
    assert raw(workspace, "select message_id from raw.violations") == [
        (f"http-{path.stem}-{2 * start}-2",)
    ]


def test_what_a_killed_collector_left_is_loaded(workspace, spool, load_spool, raw):
    spool(line(track("1")), line(track("2"))[:-9], suffix=".open")

    assert load_spool().accepted == 1
    assert ids(raw, workspace) == ["1"]
    assert list(workspace.spool.rglob("*.open")) == []


def test_a_load_has_what_a_living_collector_acknowledged_before_it(
    workspace, spool, load_spool, raw
):
    path = spool(line(track("1")), suffix=".open")

    def seal_once_asked():
        while not (workspace.spool / "seal").exists():
            threading.Event().wait(0.001)
        path.rename(path.with_suffix(".sealed"))

    with exclusive(path.parent / "lock", "collector worker"):
        worker = threading.Thread(target=seal_once_asked)
        worker.start()
        report = load_spool()
        worker.join()

    assert report.accepted == 1


def test_a_second_load_of_the_spool_says_that_one_is_at_work(workspace, spool, load_spool):
    spool(line(track("1")))
    with exclusive(workspace.home / "load.lock", "load"), pytest.raises(Busy):
        load_spool()

    assert load_spool().accepted == 1


def test_of_loads_of_the_spool_at_once_one_loads_it(workspace, spool, raw):
    spool(*(line(batch(*(track(f"{i}-{n}") for n in range(20)))) for i in range(200)))

    children = [start_load(workspace) for _ in range(3)]
    outcomes = [json.loads(child.communicate()[0]) for child in children]

    assert sum(outcome.get("accepted", 0) for outcome in outcomes) == 4_000
    assert {outcome.get("error", "Busy") for outcome in outcomes} == {"Busy"}
    assert raw(workspace, "select count(*), count(distinct id) from raw.tracks") == [(4_000, 4_000)]


def test_a_damaged_line_is_kept_back_and_its_neighbours_are_loaded(
    workspace, spool, load_spool, raw
):
    damaged = line(track("2", writeKey="a-secret")).replace(b'"A"', b'"B"')
    spool(line(track("1")), damaged, line(track("3")))

    report = load_spool()

    assert (report.events_in, report.accepted, report.blocked) == (3, 2, 1)
    assert ids(raw, workspace) == ["1", "3"]
    ((rule, message, source, payload),) = raw(
        workspace, "select rule, message, source_id, payload from raw.violations"
    )
    assert (rule, source) == ("malformed", "collector")
    assert "damaged on the disk" in message
    assert '"messageId": "2"' in json.loads(payload)
    assert "a-secret" not in payload


def test_progress_ends_at_the_size_of_the_spool(workspace, spool):
    path = spool(*(line(track(f"{n}", properties={"pad": "x" * 9_000})) for n in range(500)))
    size, told = path.stat().st_size, []

    load_files(workspace, [], progress=lambda *step: told.append(step))

    assert told == sorted(told)
    assert len(told) > 3
    assert told[-1] == (size, size)


def test_a_line_is_what_the_collector_writes(workspace, spool, load_spool):
    text = b"".join(
        encode_line({"receivedAt": at(1), "source": "web", "ip": None}, b'{"batch":[]}')
    )
    spool(text)

    assert load_spool().events_in == 0
