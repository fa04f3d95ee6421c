"""Nobody who reads is ever disturbed, and nobody sees half of a load."""

import json
from datetime import UTC, datetime, timedelta

import duckdb

from loader.warehouse import compact, connect, publish, start_build
from tests.load.child import start_module

LOADS, EVENTS = 15, 200


def tracks(load, event="A"):
    call = {"type": "track", "event": event, "userId": "u"}
    return [
        {**call, "messageId": f"{load}-{i}", "receivedAt": f"2024-05-0{1 + i % 3}T10:00:00Z"}
        for i in range(EVENTS)
    ]


def test_a_reader_sees_each_load_whole_and_never_an_error(workspace, load):
    load(*tracks(0))
    last = EVENTS * (LOADS + 1)

    with start_module("tests.warehouse.reader", str(workspace.warehouse), str(last)) as reader:
        assert reader.stdout.readline() == b"ready\n"
        for number in range(1, LOADS + 1):
            load(*tracks(number, event="B" if number == 7 else "A"))  # a new table: a swap
        seen = json.loads(reader.communicate(timeout=30)[0])

    assert reader.returncode == 0
    assert [count for count, ids in seen if count % EVENTS or count != ids] == []
    assert len(seen) > 2, "the reader saw too little for this to prove anything"


def test_a_reader_goes_on_through_compactions_and_sees_nothing_of_them(workspace, load):
    """Each round: loads, a compaction, its old files hidden, those of the round before removed."""
    rounds, each = 6, 3
    load(*tracks(0))
    last = EVENTS * (rounds * each + 1)

    with start_module("tests.warehouse.reader", str(workspace.warehouse), str(last)) as reader:
        assert reader.stdout.readline() == b"ready\n"

        def let_it_look():
            reader.stdin.write(b"look\n")
            assert reader.stdout.readline() == b"looked\n"

        now = datetime.now(UTC)
        for number in range(rounds * each):
            if number % each == 0:
                now += timedelta(hours=1)
                compact(workspace, now=now)
                let_it_look()  # whoever began before the compaction has come to an end
                compact(workspace, now=now + timedelta(minutes=11))
                let_it_look()
            load(*tracks(number + 1))
        seen = json.loads(reader.communicate(timeout=30)[0])

    assert reader.returncode == 0
    assert [count for count, ids in seen if count % EVENTS or count != ids] == []
    assert len(seen) > 2, "the reader saw too little for this to prove anything"
    removed = [path for path in workspace.lake.glob("tracks/*/1.parquet") if path.exists()]
    assert removed == [], "nothing was removed while it read"


def test_a_connection_survives_a_swap_and_the_next_one_sees_what_is_new(workspace, load):
    load(*tracks(0))
    with connect(workspace) as connection:
        count = "select count(*) from raw.tracks"
        assert connection.execute(count).fetchone() == (EVENTS,)
        inode = workspace.warehouse.stat().st_ino

        load(*tracks(1, event="Brand New"))

        assert workspace.warehouse.stat().st_ino != inode
        assert connection.execute(count).fetchone() == (2 * EVENTS,)
    with connect(workspace) as connection:
        found = connection.execute("select count(*) from raw.brand_new").fetchone()
    assert found == (EVENTS,)


def test_a_load_that_brings_no_new_column_leaves_the_published_file_alone(workspace, load, raw):
    load(*tracks(0))
    before = workspace.warehouse.stat()

    load(*tracks(1))

    after = workspace.warehouse.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert raw(workspace, "select count(*) from raw.tracks") == [(2 * EVENTS,)]


def test_a_build_goes_on_seeing_what_was_loaded_when_it_began(workspace, load, raw):
    load(*tracks(0))
    build = start_build(workspace)
    load(*tracks(1))
    load(*tracks(2, event="Brand New"))

    with duckdb.connect(build) as connection:
        seen = connection.execute("select count(*) from raw.tracks").fetchone()
        connection.execute("create table marts as select * from raw.tracks")
    publish(workspace, build)

    assert seen == (EVENTS,)
    assert raw(workspace, "select count(*) from marts") == [(EVENTS,)]
    assert raw(workspace, "select count(*) from raw.tracks") == [(3 * EVENTS,)]
    assert raw(workspace, "select count(*) from raw.brand_new") == [(EVENTS,)]


def test_the_published_file_is_read_only(workspace, load):
    load(*tracks(0))

    assert workspace.warehouse.stat().st_mode & 0o777 == 0o444


def test_files_that_no_manifest_lists_are_invisible(workspace, load, raw):
    load(*tracks(0))
    (listed,) = workspace.lake.glob("tracks/_date=2024-05-01/*.parquet")
    (listed.parent / "99.parquet").write_bytes(listed.read_bytes())
    (listed.parent / "98.parquet").write_bytes(b"not even Parquet")
    (listed.parent / "97.tmp").write_bytes(b"half of a fi")

    assert raw(workspace, "select count(*) from raw.tracks") == [(EVENTS,)]


def test_columns_that_grow_read_well_from_files_of_any_age(workspace, load, raw):
    call = {"type": "track", "event": "A", "userId": "u", "receivedAt": "2024-05-01T10:00:00Z"}
    load({**call, "messageId": "1", "properties": {"a": 1, "b": 1}})
    load({**call, "messageId": "2", "properties": {"a": 1.5, "c": True}})
    load({**call, "messageId": "3", "properties": {"a": "text", "b": 2**53 + 1}})
    load({**call, "messageId": "4", "properties": {"b": 0.5}, "receivedAt": "2024-05-02T10:00:00Z"})

    assert raw(workspace, "select id, a, b, c, _rescued from raw.a order by _seq") == [
        ("1", 1.0, 1, None, None),
        ("2", 1.5, None, True, None),
        ("3", None, 2**53 + 1, None, '{"/properties/a":"text"}'),
        ("4", None, None, None, '{"/properties/b":0.5}'),
    ]
    assert raw(workspace, "select id from raw.a where _date = date '2024-05-02'") == [("4",)]


def test_a_reader_of_before_a_type_widened_goes_on_showing_what_was_true(workspace, load, raw):
    call = {"type": "track", "event": "Seat", "userId": "u"}
    load({**call, "messageId": "1", "properties": {"seats": 1}})
    with connect(workspace) as connection:
        load({**call, "messageId": "2", "properties": {"seats": 1.5}})

        held = connection.execute("select id, seats from raw.seat order by id").fetchall()

    assert held == [("1", 1)]  # and not a 1.5 made into a 2
    assert raw(workspace, "select id, seats from raw.seat order by id") == [("1", 1.0), ("2", 1.5)]
