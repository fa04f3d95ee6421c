"""The main road, walked with the real command, real dbt and a real DuckDB file."""

import json
import random
import subprocess
import sys

import pytest

from loader.demo.generator import generate
from tests.end_to_end.road import (
    GUIDE_CALLS,
    MODELS_ONLY,
    headwater,
    kill_when,
    marts,
    start,
    write_ndjson,
)

READER = """
import duckdb, sys
db = duckdb.connect(sys.argv[1], read_only=True)
print(db.execute("select count(*) from raw.tracks").fetchone()[0], flush=True)
sys.stdin.readline()
print(db.execute("select count(*) from raw.tracks").fetchone()[0], flush=True)
try:
    print(db.execute("select count(*) from analytics.users").fetchone()[0], flush=True)
except duckdb.CatalogException:
    print("no users yet", flush=True)
"""


def rows(workspace, sql):
    return json.loads(headwater("query", sql, "--workspace", workspace, "--json"))


@pytest.fixture(scope="module")
def guide_road(tmp_path_factory):
    """A workspace through which `run` took the guide's calls, while a reader held the file open."""
    folder = tmp_path_factory.mktemp("guide")
    workspace = folder / "shop"
    headwater("init", workspace)
    calls = write_ndjson(folder / "guide.ndjson", GUIDE_CALLS)
    database = workspace / ".headwater" / "warehouse.duckdb"
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    before = reader.stdout.readline().strip()
    headwater("run", calls, "--workspace", workspace, expect=3)
    after, _ = reader.communicate("go on\n")
    return workspace, calls, [before, *after.split("\n")[:2]], reader.returncode


def test_each_of_the_guides_calls_is_one_row_under_segments_names(guide_road):
    workspace, *_ = guide_road

    counts = {
        table: rows(workspace, f"select count(*) as found from raw.{table}")[0]["found"]
        for table in ("pages", "order_completed", "subscription_started", "identifies", "groups")
    }
    assert counts == dict.fromkeys(counts, 1)
    assert rows(workspace, "select count(*) as found from raw.tracks") == [{"found": 2}]
    [violation] = rows(workspace, "select message_id, rule, path, message from raw.violations")
    assert violation["message_id"] == "php_662a1c"
    assert violation["message"] == '"14500" is a string; the contract wants a number >= 0'
    [order] = rows(workspace, "select event, event_text, total, currency from raw.order_completed")
    assert order == {
        "event": "order_completed",
        "event_text": "Order Completed",
        "total": 14500.0,
        "currency": "RUB",
    }


def test_the_guides_user_is_one_row_with_what_identify_said(guide_road):
    workspace, *_ = guide_road

    [user] = rows(workspace, "select * from analytics.users where user_id = 'usr_12345'")
    assert (user["company_id"], user["company_name"], user["plan"]) == (
        "company_abc",
        "Example Inc",
        "pro",
    )
    assert user["orders_count"] == 1  # ordered while anonymous, identified afterwards
    assert float(user["lifetime_value_rub"]) == 14500
    assert rows(workspace, "select count(*) as found from analytics.users") == [{"found": 1}]


def test_loading_the_guides_calls_again_changes_nothing(guide_road):
    workspace, calls, *_ = guide_road
    manifest = workspace / ".headwater" / "manifest.parquet"
    copy = write_ndjson(calls.with_name("copy.ndjson"), [*GUIDE_CALLS, GUIDE_CALLS[0]])
    before = manifest.read_bytes()

    again = json.loads(headwater("load", calls, "--workspace", workspace, "--json"))
    assert manifest.read_bytes() == before
    twice = json.loads(headwater("load", copy, "--workspace", workspace, "--json"))

    assert again["events_in"] == 0
    assert (twice["accepted"], twice["blocked"], twice["duplicates"]) == (0, 0, 7)
    assert rows(workspace, "select count(*) as found from raw.tracks") == [{"found": 2}]
    assert rows(workspace, "select count(*) as found from raw.violations") == [{"found": 1}]


def test_an_open_reader_survives_a_run_and_the_next_one_sees_the_new_tables(guide_road):
    workspace, _, answers, exit_code = guide_road

    assert exit_code == 0
    # Its file had empty raw tables and no marts; it goes on showing that file.
    assert answers == ["0", "0", "no users yet"]
    assert rows(workspace, "select count(*) as found from analytics.users") == [{"found": 1}]


def test_marts_are_equal_however_the_road_was_cut_and_broken(tmp_path):
    """One load and one transform, against loads and transforms that were killed and repeated."""
    for name, seed in (("first", 1), ("second", 2)):
        generate(tmp_path / f"{name}.ndjson.gz", 3000, seed=seed, chunk_events=3000)
    first, second = tmp_path / "first.ndjson.gz", tmp_path / "second.ndjson.gz"
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    chance = random.Random(5)

    headwater("init", whole)
    headwater("load", first, second, "--workspace", whole, expect=3)
    headwater("transform", "--workspace", whole)

    headwater("init", broken)
    lake = broken / ".headwater" / "lake"
    transform = ("transform", "--workspace", broken, "--", *MODELS_ONLY)
    for file in (first, second):
        enough = chance.randrange(1, 40)
        before = len(list(lake.rglob("*.parquet")))
        kill_when(
            start("load", file, "--workspace", broken),
            lambda: len(list(lake.rglob("*.parquet"))) >= before + enough,  # noqa: B023
        )
        if file == first:
            headwater(*transform)  # of a load that never was
        headwater("load", file, "--workspace", broken, expect=3)
        results = broken / ".headwater" / "dbt" / "build" / "warehouse.duckdb.wal"
        kill_when(start(*transform), results.exists)
        headwater(*transform)

    expected, found = marts(whole), marts(broken)
    assert sorted(found) == sorted(expected)
    of_overrides = {"identity_overrides", "int_applied_overrides", "profile_splits"}
    may_be_empty = {"audience_big_spenders", "identity_demoted", *of_overrides}
    assert {name for name, mart in expected.items() if not mart} <= may_be_empty
    for name, mart in expected.items():
        assert found[name] == mart, name
    leftovers = [p for p in (broken / ".headwater").rglob("*") if p.suffix == ".tmp"]
    assert leftovers == []
