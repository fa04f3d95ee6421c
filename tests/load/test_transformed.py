"""A load enriches, transforms and drops events; what goes wrong is kept back, as it came."""

import itertools
import json
import sys

import pytest

from loader.archive import read_archive
from loader.errors import ConfigError
from loader.load import load_files
from loader.warehouse import read_manifest
from tests.load.outcome import adds_up, archived
from tests.load.spooled import at, ids, track
from tests.transformations import agents

NUMBERS = itertools.count()


@pytest.fixture
def middleware(workspace, configure, monkeypatch):
    """Makes `f` of a module in the workspace its middleware; gives the module's file."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    module = f"of_a_load_{next(NUMBERS)}"
    configure(f"middleware: ['{module}:f']")

    def write(code):
        (workspace.root / f"{module}.py").write_text(code)

    return write


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
