"""A load enriches, transforms and drops events; what goes wrong is kept back, as it came."""

import itertools
import json
import sys

import pyarrow.parquet as pq
import pytest

from loader.archive import read_archive
from loader.errors import ConfigError
from loader.load import load_files
from loader.warehouse import read_manifest
from tests.load.spooled import at, batch, ids, track
from tests.spool.place import line
from tests.transformations import agents

NUMBERS = itertools.count()


@pytest.fixture
def configure(workspace):
    """Adds to the workspace's headwater.yml."""

    def add(text):
        with (workspace.root / "headwater.yml").open("a") as file:
            file.write(f"\n{text}\n")

    return add


@pytest.fixture
def middleware(workspace, configure, monkeypatch):
    """Makes `f` of a module in the workspace its middleware; gives the module's file."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    module = f"of_a_load_{next(NUMBERS)}"
    configure(f"middleware: ['{module}:f']")

    def write(code):
        (workspace.root / f"{module}.py").write_text(code)

    return write


def archived(workspace):
    rows = read_archive(workspace, next_load_id=read_manifest(workspace).next_load_id)
    return [json.loads(row.raw) for row in rows]


def adds_up(report):
    parts = (report.accepted, report.blocked, report.duplicates, report.suppressed, report.dropped)
    return report.events_in == sum(parts)


def test_a_row_is_enriched_and_the_archive_is_not(workspace, load, raw):
    context = {"userAgent": agents.IPHONE, "page": {"search": "?utm_source=news"}}
    event = track("1", context=context)

    load(event, track("2", context={"userAgent": agents.GOOGLEBOT}))

    names = ("browser_name", "os_version", "device_type", "campaign_source", "bot")
    columns = ", ".join(f"context_{name}" for name in names)
    assert raw(workspace, f"select {columns} from raw.a order by _seq") == [
        ("Mobile Safari", "17.4", "mobile", "news", None),
        ("Googlebot", None, None, None, True),
    ]
    assert archived(workspace)[0] == event


def test_enrichment_is_off_by_one_word(workspace, configure, load, raw):
    configure("enrichment: {user_agent: off, campaign: off, bots: off, country: off}")

    load(track("1", context={"userAgent": agents.IPHONE}))

    columns = raw(workspace, "select column_name from (describe raw.a)")
    assert [name for (name,) in columns if name.startswith("context_")] == ["context_user_agent"]


def test_tables_get_the_transformed_event_and_the_archive_the_one_that_came(
    workspace, configure, load, raw
):
    configure(
        "transformations:\n"
        "  - {event: order done, rename_event: Order Completed,"
        " rename: {properties.sum: properties.total}}\n"
    )
    event = track("1", "Order Done", properties={"sum": 5, "order_id": "o", "currency": "EUR"})

    report = load({**event, "properties": {**event["properties"], "products": []}})

    assert report.tables == {"order_completed": 1, "tracks": 1}
    assert raw(workspace, "select event_text, total from raw.order_completed") == [
        ("Order Completed", 5.0)
    ]
    assert archived(workspace)[0]["event"] == "Order Done"
    rows = read_archive(workspace, next_load_id=read_manifest(workspace).next_load_id)
    assert next(rows).event == "Order Done"


def test_contracts_are_asked_of_the_transformed_event_and_what_came_is_kept(
    workspace, configure, load, raw
):
    configure("transformations: [{event: Done, rename_event: Order Completed}]")
    event = track("1", "Done", properties={"sum": 5})

    report = load(event)

    assert (report.accepted, report.blocked) == (0, 1)
    ((payload,),) = raw(workspace, "select distinct payload from raw.violations")
    assert json.loads(payload)["event"] == "Done"
    assert raw(workspace, "select count(*) from raw.tracks") == [(0,)]


def test_a_dropped_event_is_counted_and_stored_nowhere(workspace, configure, load, raw):
    configure("transformations: [{event: Debug, drop_event: true}]")

    report = load(track("1", "Debug"), track("1", "Debug"), track("2"))

    assert (report.events_in, report.accepted, report.dropped) == (3, 1, 2)
    assert adds_up(report)
    assert ids(raw, workspace) == ["2"]
    assert len(archived(workspace)) == 1


def test_a_dropped_event_is_loaded_once_it_is_no_more_to_be_dropped(
    workspace, configure, load, write_ndjson, raw
):
    configure("transformations: [{event: Debug, drop_event: true}]")
    load(track("1", "Debug"))
    (workspace.root / "headwater.yml").write_text("transformations: []\n")
    fresh = type(workspace)(workspace.root)

    report = load_files(fresh, [write_ndjson([track("1", "Debug"), track("2")], "again")])

    assert (report.accepted, report.dropped) == (2, 0)


def test_middleware_changes_and_drops(workspace, middleware, load, raw):
    middleware(
        "def f(event):\n"
        "    if event['properties'].get('test'): return None\n"
        "    event['properties']['browser'] = event['context']['browser']['name']\n"
        "    return event\n"
    )
    context = {"userAgent": agents.CHROME}

    report = load(
        track("1", context=context), track("2", context=context, properties={"test": True})
    )

    assert (report.accepted, report.dropped) == (1, 1)
    assert adds_up(report)
    assert raw(workspace, "select id, browser from raw.a") == [("1", "Chrome")]
    assert archived(workspace) == [track("1", context=context)]


@pytest.mark.parametrize("wrong", ["raise ValueError('no such plan')", "return 'text'"])
def test_an_event_that_middleware_can_not_take_is_kept_back_and_the_load_goes_on(
    workspace, middleware, load, raw, wrong
):
    middleware(
        "def f(event):\n"
        "    if event['messageId'] != '2': return event\n"
        "    event['properties'] = {}\n"
        f"    {wrong}\n"
    )
    events = [track(str(n), properties={"a": n}) for n in (1, 2, 3)]

    report = load(*events)

    assert (report.accepted, report.blocked) == (2, 1)
    assert adds_up(report)
    assert ids(raw, workspace) == ["1", "3"]
    ((rule, path, action, message, payload),) = raw(
        workspace, "select rule, path, action, message, payload from raw.violations"
    )
    assert (rule, path, action) == ("middleware_failed", "$", "block")
    assert ":f: " in message
    assert json.loads(payload).items() >= events[1].items()


def test_an_event_that_failed_is_told_once_and_taken_once_it_passes(
    workspace, middleware, load, write_ndjson, raw
):
    middleware("def f(event): raise ValueError\n")
    load(track("1"))

    again = load_files(workspace, [write_ndjson([track("1"), track("2")], "again")])

    assert (again.blocked, again.duplicates) == (1, 1)
    (workspace.root / "headwater.yml").write_text("")
    fresh = type(workspace)(workspace.root)
    after = load_files(fresh, [write_ndjson([track("2"), track("1")], "after")])
    assert after.accepted == 2


def test_middleware_that_can_not_be_imported_stops_the_load_before_it_begins(
    workspace, middleware, load
):
    middleware("import nothing_of_that_name\n")

    with pytest.raises(ConfigError, match=r"middleware\[0\]"):
        load(track("1"))

    assert not workspace.lake.exists()


ANNA = "anna@example.com"


def stored(workspace):
    """All that lies on the disk, uncompressed: the texts of every file of lake and archive."""
    files = [*workspace.lake.rglob("*.parquet"), *workspace.archive.rglob("*.parquet")]
    assert files
    return "\n".join(str(pq.read_table(path).to_pydict()) for path in files)


def test_a_suppressed_user_leaves_no_trace(workspace, configure, load, raw):
    configure("privacy: {suppress: gone.txt}")
    (workspace.root / "gone.txt").write_text("anna\nanonymousId:d-1\n")

    report = load(
        track("1", userId="anna", properties={"note": ANNA}),
        {"type": "track", "userId": "anna", "properties": {"note": ANNA}},
        {"type": "alias", "userId": "x", "previousId": "anna"},
        {"type": "page", "anonymousId": "d-1", "name": ANNA},
        track("2", properties={"note": "x" * 40_000 + ANNA}, userId="anna"),
        b'{"type":"track","userId":"anna","event":"A',
        track("3"),
    )

    assert (report.accepted, report.suppressed, report.blocked) == (1, 5, 1)
    assert adds_up(report)
    assert ANNA not in stored(workspace)
    assert "anna" not in stored(workspace)
    assert ids(raw, workspace) == ["3"]


def test_a_suppressed_user_in_the_spool_leaves_no_trace(workspace, configure, spool, load_spool):
    configure("privacy: {suppress: gone.txt}")
    (workspace.root / "gone.txt").write_text("anna\n")
    spool(
        line(batch(track("1", userId="anna"), track("2")), at=at(1)),
        line(track("3", userId="anna"), type="track", at=at(2)),
    )

    report = load_spool()

    assert (report.accepted, report.suppressed) == (1, 2)
    assert adds_up(report)
    assert "anna" not in stored(workspace)
    assert [path for path in workspace.spool.rglob("*") if path.is_file()] == []


def test_a_load_of_suppressed_events_alone_is_one_and_not_repeated(
    workspace, configure, load, write_ndjson
):
    configure("privacy: {suppress: gone.txt}")
    (workspace.root / "gone.txt").write_text("u\n")

    report = load(track("1"))
    again = load(track("1"))

    assert (report.suppressed, report.load_id, len(again.already_loaded)) == (1, None, 1)


def private(**fields):
    traits = {"email": ANNA, "plan": "pro"}
    context = {"ip": "203.0.113.77", "traits": {"email": ANNA}}
    return {"type": "identify", "userId": "u", "traits": traits, "context": context, **fields}


PRIVACY = "privacy: {anonymize_ip: true, hash: [traits.email, context.traits.email]}"


def test_nothing_private_is_stored_anywhere(workspace, configure, load, raw):
    configure(PRIVACY)
    shared = {"context": {"ip": "203.0.113.78", "traits": {"email": ANNA}}}

    report = load(
        private(messageId="1"),
        private(messageId="1"),
        private(messageId="2", userId=None),
        private(messageId="3", type="identif"),
        private(messageId="4", traits={"Email": ANNA, "name": 5}),
        private(messageId="5", note="x" * 40_000),
        batch(track("6"), {"type": "track"}, ANNA, **shared),
        [private()],
        json.dumps(private()).encode()[:-1],
        b'{"batch":[{"traits":{"email":"%s"' % ANNA.encode(),
    )

    assert adds_up(report)
    assert (report.accepted, report.duplicates) == (2, 1)
    found = stored(workspace)
    assert ANNA not in found
    assert "203.0.113.7" not in found
    assert "203.0.113.0" in found
    assert ANNA not in report.example
    assert raw(workspace, "select length(email), context_ip, plan from raw.identifies") == [
        (64, "203.0.113.0", "pro")
    ]


def test_nothing_private_of_the_spool_is_stored_anywhere(
    workspace, configure, spool, load_spool, raw, monkeypatch
):
    configure(PRIVACY)
    monkeypatch.setenv("WEB_WRITE_KEY", "web")
    monkeypatch.setenv("SERVER_WRITE_KEY", "server")
    client = {"library": {"name": "analytics.js"}}
    spool(
        line(batch(track("1", context=client), b"?".decode()), at=at(1), ip="203.0.113.77"),
        line(track("2"), type="track", at=at(2), ip="203.0.113.78", browser=True),
        line(private(messageId="3"), type="identify", at=at(3), ip="2001:db8:1:2::3"),
        line(private(messageId="4", writeKey="unknown"), source=None, type="identify", at=at(4)),
        line(b'"%s"' % ANNA.encode(), at=at(5)),
    )

    report = load_spool()

    assert adds_up(report)
    found = stored(workspace)
    assert ANNA not in found
    assert "203.0.113.7" not in found
    assert raw(workspace, "select context_ip from raw.a order by _seq") == [
        ("203.0.113.0",),
        ("203.0.113.0",),
    ]


def test_the_archive_gives_back_the_cleaned_event_whole(workspace, configure, load):
    configure(PRIVACY)
    event = private(messageId="1", extra={"big": 10**30, "x": 1.5, "ü": [None]}, writeKey="k")

    load(event)

    (kept,) = archived(workspace)
    assert kept["context"]["ip"] == "203.0.113.0"
    assert len(kept["traits"]["email"]) == 64
    assert kept["extra"] == event["extra"]
    assert "writeKey" not in kept


def test_times_that_can_not_be_true_are_kept_flagged_and_where_the_load_says(workspace, load, raw):
    report = load(
        track("1", timestamp="2099-01-01T00:00:00Z", receivedAt=at(1)),
        track("2", timestamp="1970-01-01T00:00:00Z", receivedAt=at(2)),
        track("3", receivedAt="2099-01-01T00:00:00Z", timestamp=at(3)),
        track("4", timestamp=at(4), receivedAt=at(4)),
    )

    flags = [("future_timestamp",), ("past_timestamp",), ("future_received_at",), (None,)]
    assert raw(workspace, "select _flags from raw.a order by _seq") == flags
    assert raw(workspace, "select _flags from raw.tracks order by _seq") == flags
    assert raw(
        workspace,
        "select count(*) from raw.a where (load_id, _date) not in"
        " (select (load_id, unnest(dates)) from raw.loads where table_name = 'a')",
    ) == [(0,)]
    assert report.accepted == 4
