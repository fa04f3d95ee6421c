"""Collectors and loads of their spool that are killed at any moment: each event once, after all."""

import random
import time

from loader.archive import read_archive
from loader.load import load_files
from loader.spool import sealed_segments
from loader.warehouse import read_manifest
from tests.conftest import make_workspace
from tests.load.child import start_module
from tests.load.test_killed_load import count_files, unlisted
from tests.spool.place import line, padded, put

WORKERS, LINES, EVENTS = 3, 12, 20
KILLS = 16
KEEP_ALL = "\nretention: {archive_days: 100000}\n"


def write_round(workspace, number):
    """A segment a worker: events with ids, and as many without."""
    for worker in range(WORKERS):
        lines = []
        for i in range(LINES):
            events = [
                {
                    "type": "track",
                    "event": f"Event {n % 3}",
                    "userId": f"u{n % 7}",
                    "properties": {"round": number, "n": n},
                    **({"messageId": f"{number}-{worker}-{i}-{n}"} if n % 2 else {}),
                }
                for n in range(EVENTS)
            ]
            at = f"2026-11-{1 + i % 3:02}T10:00:{i:02}.000000Z"
            lines.append(line({"batch": events}, at=at))
        is_left_open = (number + worker) % 4 == 0
        text = padded(*lines) + (b"torn" if is_left_open else b"")
        suffix = ".open" if is_left_open else ".sealed"
        put(workspace.spool, text, worker=worker, number=number * 10 + worker, suffix=suffix)


def test_every_spooled_event_is_there_once_however_often_its_load_was_killed(
    workspace, tmp_path, raw, nursery
):
    undisturbed = make_workspace(tmp_path / "undisturbed")
    for place in (workspace, undisturbed):
        with (place.root / "headwater.yml").open("a") as config:
            config.write(KEEP_ALL)
    write_round(undisturbed, 0)
    started = time.monotonic()
    nursery.start(undisturbed, [])
    assert nursery.wait()[0] == 0
    lasts = time.monotonic() - started
    at_random = random.Random(11)

    outcomes = []
    for number in range(KILLS):
        write_round(workspace, number)
        nursery.start(workspace, [])
        if number % 2:
            nursery.has_ended(within_seconds=at_random.uniform(0, lasts))
        else:
            wanted = count_files(workspace) + at_random.randint(1, 20)
            while count_files(workspace) < wanted and not nursery.has_ended(0.002):
                pass
        outcomes.append(nursery.kill())
    nursery.start(workspace, [])
    assert nursery.wait()[0] == 0

    assert outcomes.count(-9) >= KILLS // 4, "too few were killed for this to prove anything"
    total = KILLS * WORKERS * LINES * EVENTS
    assert raw(workspace, "select count(*), count(distinct id) from raw.tracks") == [(total, total)]
    assert raw(workspace, "select count(distinct _seq) from raw.tracks") == [(total,)]
    for number in range(3):
        wanted = total // EVENTS * sum(n % 3 == number for n in range(EVENTS))
        assert raw(workspace, f"select count(*) from raw.event_{number}") == [(wanted,)]
    next_load_id = read_manifest(workspace).next_load_id
    archived = [row.id for row in read_archive(workspace, next_load_id=next_load_id)]
    assert archived == [id_ for (id_,) in raw(workspace, "select id from raw.tracks order by _seq")]
    assert raw(workspace, "select count(*) from raw.violations") == [(0,)]
    assert sealed_segments(workspace.spool) == []
    assert unlisted(workspace) == set()


def test_what_a_writer_acknowledged_before_it_was_killed_is_loaded(workspace, raw):
    acknowledged, first = [], 0
    for folder in ("0", "0", "1"):
        place = str(workspace.spool / folder)
        writer = start_module("tests.spool.child", place, str(first))
        wanted = first + 300
        while (told := int(writer.stdout.readline())) < wanted:
            pass
        load_files(workspace, [])  # while it lives: what is sealed, and what it seals in time
        writer.kill()
        rest = writer.stdout.read().split(b"\n")[:-1]  # a line that was torn was not told
        writer.wait()
        writer.stdin.close()
        writer.stdout.close()
        told = max([told, *map(int, rest)])
        acknowledged += range(first, told + 1)
        first = told + 1_000

    load_files(workspace, [])

    found = raw(workspace, "select id::bigint from raw.pages order by 1")
    stored = {number for (number,) in found}
    assert set(acknowledged) - stored == set()
    assert len(found) == len(stored)
    assert unlisted(workspace) == set()
