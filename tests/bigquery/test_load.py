"""Loads into BigQuery: how tables come to be there, and what they hold."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from loader.config import Workspace
from loader.errors import ConfigError, LoaderError
from loader.load import load_files
from loader.warehouse import read_manifest, repair
from loader.warehouse.bigquery.client import connect_bigquery
from tests.bigquery.asking import rows_of, table_of
from tests.bigquery.conftest import on_bigquery
from tests.conftest import make_workspace

DAY = "2026-03-04T10:00:00Z"


def track(number, name="Thing", **properties):
    return {
        "type": "track",
        "event": name,
        "userId": f"u{number}",
        "messageId": f"m{number}",
        "receivedAt": DAY,
        "properties": properties,
    }


@pytest.fixture
def load(bigquery_workspace, write_ndjson):
    def load_events(*events, **options):
        return load_files(bigquery_workspace, [write_ndjson(events)], **options)

    return load_events


def test_tables_are_partitioned_by_day_and_clustered(bigquery_workspace, load):
    load(track(1, n=1))

    thing, tracks = (table_of(bigquery_workspace, name) for name in ("thing", "tracks"))

    assert thing.time_partitioning.field == tracks.time_partitioning.field == "received_at"
    assert thing.time_partitioning.type_ == "DAY"
    assert thing.clustering_fields == ["user_id"]
    assert tracks.clustering_fields == ["event", "user_id"]
    kinds = {field.name: field.field_type for field in thing.schema}
    assert kinds["_rescued"] == "JSON"
    assert kinds["n"] == kinds["_seq"] == kinds["load_id"] == "INTEGER"
    assert kinds["received_at"] == "TIMESTAMP"


def test_tables_of_calls_and_contracts_are_there_from_the_first_load_on(bigquery_workspace, load):
    load(track(1))

    columns = {field.name for field in table_of(bigquery_workspace, "order_completed").schema}

    assert {"id", "received_at", "order_id", "total"} <= columns
    assert rows_of(bigquery_workspace, "select count(*) from {raw}.pages") == [(0,)]


def test_values_of_every_type_arrive(bigquery_workspace, load):
    load(track(1, a=2**53 + 1, b=1.5, c=True, d="Ünïcode 日本", e=DAY, f=[1, {"x": 2}]))

    found = rows_of(bigquery_workspace, "select a, b, c, d, e, f, user_id from {raw}.thing")

    moment = datetime(2026, 3, 4, 10, tzinfo=UTC)
    assert found == [(2**53 + 1, 1.5, True, "Ünïcode 日本", moment, '[1,{"x":2}]', "u1")]


def test_what_fits_no_column_is_there_as_json(bigquery_workspace, load):
    load(track(1, n=1), track(2, n="x"))

    found = rows_of(bigquery_workspace, "select id, n, _rescued from {raw}.thing order by id")

    assert found == [("m1", 1, None), ("m2", None, {"/properties/n": "x"})]


def test_violations_are_there_with_what_was_kept_back(bigquery_workspace, load):
    event = {**track(1), "userId": None}
    load(event, track(2))

    found = rows_of(bigquery_workspace, "select rule, payload from {raw}.violations")

    assert [rule for rule, _ in found] == ["no_identity"]
    assert found[0][1]["messageId"] == "m1"


def test_columns_come_as_events_bring_them(bigquery_workspace, load):
    load(track(1, a=1))
    load(track(2, a=2, b="x", c=True, d=1.5))

    found = rows_of(bigquery_workspace, "select id, a, b, c, d from {raw}.thing order by id")

    assert found == [("m1", 1, None, None, None), ("m2", 2, "x", True, 1.5)]


def test_traits_that_were_null_are_named(bigquery_workspace, load):
    event = {**track(1), "type": "identify", "traits": {"a": 1, "b": None}}
    load({**event, "messageId": "m1"}, {**event, "messageId": "m2", "traits": {"a": 1}})

    found = rows_of(bigquery_workspace, "select id, a, _nulls from {raw}.identifies order by id")

    assert found == [("m1", 1, '["b"]'), ("m2", 1, None)]


def test_a_name_that_begins_with_a_digit_gets_an_underscore(bigquery_workspace, load):
    load(track(1, "2FA Enabled", **{"3d": "yes"}))

    assert rows_of(bigquery_workspace, "select _3d from {raw}.2fa_enabled") == [("yes",)]


def test_whole_numbers_become_fractions(bigquery_workspace, load):
    load(track(1, n=1))
    load(track(2, n=1.5))
    load(track(3, n=3))

    found = rows_of(bigquery_workspace, "select n from {raw}.thing order by id")

    assert found == [(1.0,), (1.5,), (3.0,)]


def test_a_column_of_another_type_there_is_told_and_nothing_is_lost(bigquery_workspace, load):
    load(track(1, n=1))
    raw = bigquery_workspace.config.warehouse.raw_dataset
    rows_of(bigquery_workspace, f"alter table {raw}.thing drop column n")
    rows_of(bigquery_workspace, f"alter table {raw}.thing add column n bool")

    with pytest.raises(ConfigError, match=r"thing: the column n is BOOLEAN there, and INTEGER"):
        load(track(2, n=2))

    rows_of(bigquery_workspace, f"alter table {raw}.thing drop column n")
    load(track(3, n=3))
    found = rows_of(bigquery_workspace, "select id, n from {raw}.thing order by id")
    assert found == [("m1", None), ("m2", 2), ("m3", 3)]


def test_loads_tell_the_days_and_the_order_of_commits(bigquery_workspace, load):
    load(track(1))
    load({**track(2), "receivedAt": "2026-03-05T00:00:00Z"}, {**track(3), "receivedAt": DAY})

    found = rows_of(
        bigquery_workspace,
        "select commit_order, `rows`, dates, first_seq from {raw}.loads "
        "where table_name = 'thing' order by commit_order",
    )

    assert found == [
        (1, 1, [date(2026, 3, 4)], 1),
        (2, 2, [date(2026, 3, 4), date(2026, 3, 5)], 2),
    ]


def test_a_future_receipt_is_in_its_own_partition_and_loads_say_so(bigquery_workspace, load):
    load({**track(1), "receivedAt": "2999-01-01T00:00:00Z"})

    found = rows_of(bigquery_workspace, "select dates from {raw}.loads where table_name = 'thing'")

    assert found == [([date(2999, 1, 1)],)]
    assert rows_of(
        bigquery_workspace, "select extract(year from received_at) from {raw}.thing"
    ) == [(2999,)]


def test_what_was_loaded_is_loaded_once(bigquery_workspace, load):
    load(track(1), track(2))
    load(track(2), track(3))

    assert rows_of(bigquery_workspace, "select count(*), count(distinct id) from {raw}.thing") == [
        (3, 3)
    ]


def test_events_do_not_stay_here_but_logs_do(bigquery_workspace, load, raw):
    load(track(1), {**track(2), "userId": ""})

    kept = {file.table_name for file in read_manifest(bigquery_workspace).files}

    assert kept == {"loads", "violations", "schema_changes"}
    assert not list((bigquery_workspace.lake / "thing").rglob("*.parquet"))
    assert raw(bigquery_workspace, "select rule from raw.violations") == [("no_identity",)]


def test_a_paced_load_waits_for_its_minute(bigquery_workspace, load):
    load(track(1))
    load(track(2), is_paced=True)
    assert rows_of(bigquery_workspace, "select count(*) from {raw}.thing") == [(1,)]

    load(track(3))

    assert rows_of(bigquery_workspace, "select count(*) from {raw}.thing") == [(3,)]
    orders = "select distinct commit_order from {raw}.loads order by 1"
    assert rows_of(bigquery_workspace, orders) == [(1,), (2,), (3,)]


def test_a_dataset_in_another_place_is_told(bigquery_workspace, load):
    connection = connect_bigquery(bigquery_workspace)
    raw = f"{connection.config.project}.{connection.config.raw_dataset}"
    elsewhere = connection.client.create_dataset(raw)
    elsewhere.location = "US"

    path = bigquery_workspace.root / "headwater.yml"
    path.write_text(path.read_text().replace("location: EU", "location: asia-south1"))
    bigquery_workspace.__dict__.pop("config")

    with pytest.raises(ConfigError, match=r"lies in \w+, warehouse.location is asia-south1"):
        load(track(1))


def test_partitions_have_to_be_named_where_that_is_wanted(tmp_path, emulator, write_ndjson):
    workspace = on_bigquery(
        make_workspace(tmp_path / "strict"), emulator, require_partition_filter="true"
    )

    load_files(workspace, [write_ndjson([track(1)])])

    # The emulator does not keep the setting, so what is sent is all that can be seen here.
    assert rows_of(workspace, "select count(*) from {raw}.thing") == [(1,)]


def test_loads_of_several_workspaces_into_one_dataset_have_one_order(
    tmp_path, emulator, write_ndjson
):
    first = on_bigquery(make_workspace(tmp_path / "a"), emulator, raw_dataset="shared_raw")
    second = on_bigquery(make_workspace(tmp_path / "b"), emulator, raw_dataset="shared_raw")

    for number, workspace in enumerate([first, second, first, second], start=1):
        load_files(workspace, [write_ndjson([track(number, n=number)], f"{number}.ndjson")])

    found = rows_of(
        first,
        "select commit_order, thing.id from {raw}.loads join {raw}.thing using (load_id) "
        "where table_name = 'thing' order by commit_order",
    )
    assert found == [(1, "m1"), (2, "m2"), (3, "m3"), (4, "m4")]


def test_loaders_that_commit_at_once_get_different_places(tmp_path, emulator, write_ndjson):
    loaders = [
        on_bigquery(make_workspace(tmp_path / str(number)), emulator, raw_dataset="crowded_raw")
        for number in range(4)
    ]
    for number, workspace in enumerate(loaders):
        load_files(workspace, [write_ndjson([track(number)], f"{number}.ndjson")])

    def load_some(number):
        for count in range(3):
            event = track(10 * number + count + 100)
            name = write_ndjson([event], f"{number}-{count}.ndjson")
            load_files(loaders[number], [name])

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(load_some, range(4)))

    orders = rows_of(loaders[0], "select distinct commit_order from {raw}.loads order by 1")
    assert orders == [(place,) for place in range(1, 17)]
    assert rows_of(loaders[0], "select count(*), count(distinct id) from {raw}.thing") == [(16, 16)]


def events_of_days(first_number, first_day, count):
    return [
        {**track(number), "receivedAt": f"{first_day + timedelta(days=number)}T00:00:00Z"}
        for number in range(first_number, first_number + count)
    ]


def test_a_load_of_more_days_than_a_job_may_have_is_refused_before_it_counts(
    bigquery_workspace, load
):
    with pytest.raises(LoaderError, match=r"events of 4,001 days .* nothing was loaded"):
        load(*events_of_days(0, date(1990, 1, 1), 4_001))

    assert not read_manifest(bigquery_workspace).files
    load(track(5_000))
    assert rows_of(bigquery_workspace, "select count(*) from {raw}.thing") == [(1,)]


def test_loads_that_no_job_could_bring_together_go_one_after_the_other(bigquery_workspace, load):
    load(track(9_000))
    load(*events_of_days(0, date(1990, 1, 1), 2_500), is_paced=True)
    load(*events_of_days(2_500, date(1990, 1, 1), 2_500), is_paced=True)

    load(track(9_001))

    assert rows_of(bigquery_workspace, "select count(*) from {raw}.thing") == [(5_002,)]
    rows = "select `rows`, array_length(dates) from {raw}.loads where table_name = 'thing'"
    assert sorted(rows_of(bigquery_workspace, rows)) == [(1, 1), (1, 1), (2500, 2500), (2500, 2500)]


def test_what_duckdb_had_goes_to_bigquery_once(tmp_path, emulator, write_ndjson):
    workspace = make_workspace(tmp_path / "grown")
    load_files(workspace, [write_ndjson([track(1, n=1, **{"3d": "x"}), track(2, n="y")], "1")])
    load_files(workspace, [write_ndjson([track(3, n=1.5)], "2")])

    workspace = on_bigquery(workspace, emulator)
    load_files(workspace, [write_ndjson([track(1), track(4, n=4)], "3")])

    found = rows_of(workspace, "select id, n, _3d, _rescued from {raw}.thing order by id")
    assert found == [
        ("m1", 1.0, "x", None),
        ("m2", None, None, {"/properties/n": "y"}),
        ("m3", 1.5, None, None),
        ("m4", 4.0, None, None),
    ]
    loads = "select load_id, commit_order from {raw}.loads where table_name = 'thing' order by 1"
    assert rows_of(workspace, loads) == [(1, 1), (2, 2), (3, 3)]


def test_there_is_no_way_back_to_duckdb_that_would_show_no_events(bigquery_workspace, load):
    load(track(1))
    path = bigquery_workspace.root / "headwater.yml"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith("warehouse:")))

    with pytest.raises(
        ConfigError, match=r"(?s)events of this workspace are in BigQuery.*Fix: set"
    ):
        repair(Workspace(bigquery_workspace.root))
