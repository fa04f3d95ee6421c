"""The same events on DuckDB and on BigQuery become the same tables."""

import json
from datetime import UTC, datetime

import pytest
from sqlglot import exp

from loader.demo.generator import generate
from loader.load import load_files
from loader.transform import transform
from tests.bigquery.asking import rows_of
from tests.bigquery.conftest import on_bigquery
from tests.bigquery.models import (
    MARTS,
    MODELS_ONLY,
    add_models,
    checks_of,
    models_of,
    names_days,
    read_marts,
    scans_of,
)
from tests.conftest import make_workspace

EVENTS = 20_000
LOADS = 2
AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
# Views of calls: whoever reads them reads raw.
CALLS = {
    *("stg_tracks", "stg_identifies", "stg_pages", "stg_screens", "stg_groups", "stg_aliases"),
    *("stg_order_completed", "stg_order_refunded", "int_calls", "int_event_identifiers"),
    "int_event_sets",
}
INCREMENTAL = {
    "int_events",
    "int_identifiers",
    "int_identity_sets",
    "int_identity_evidence",
    "int_identity_log",
}
# They need every call of one kind, of the kinds that are few.
OF_WHOLE_TABLES = {
    *("groups", "int_group_calls", "int_identify_calls", "int_user_traits"),
    *("int_order_calls", "orders"),
}


def odd_events(load: int) -> list[bytes]:
    """What the generator leaves out: far futures, days of earlier loads, values of odd shape."""
    call = {"userId": f"odd{load % 2}", "anonymousId": f"device{load}"}
    order = {"type": "track", "event": "Order Completed", **call}
    lines = [
        {"type": "page", **call, "messageId": f"late{load}", "receivedAt": "2024-05-01T00:00:01Z"},
        {"type": "page", **call, "messageId": "again", "receivedAt": "2024-05-02T00:00:00Z"},
        {
            "type": "track",
            "event": "Signed Up",
            **call,
            "messageId": f"future{load}",
            "timestamp": "2031-01-01T00:00:00Z",
            "receivedAt": "2030-01-01T00:00:00Z",
        },
        {
            "type": "identify",
            **call,
            "messageId": f"traits{load}",
            "receivedAt": "2024-05-03T00:00:00Z",
            "traits": {
                "email": f" Odd{load}@X.io\t",
                "2fa": True if load < 2 else None,
                "order": load,
                "names": "'\\x",
            },
        },
        {
            **order,
            "messageId": f"order{load}",
            "receivedAt": f"2024-05-0{load + 1}T00:00:00Z",
            "properties": {
                "order_id": f"odd{load // 2}",
                "total": 0.1 + load,
                "currency": "eur ",
                "products": [{"product_id": 7, "price": "1e3"}, None, 3, {"quantity": 1.5}],
            },
        },
    ]
    return [json.dumps(line).encode() + b"\n" for line in lines]


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """The events, cut into as many files as there are loads."""
    folder = tmp_path_factory.mktemp("events")
    generate(folder / "all.ndjson", EVENTS, chunk_events=5_000)
    lines = (folder / "all.ndjson").read_bytes().splitlines(keepends=True)
    size = -(-len(lines) // LOADS)
    files = []
    for number in range(LOADS):
        path = folder / f"{number}.ndjson"
        part = lines[number * size : (number + 1) * size]
        path.write_bytes(b"".join([*part, *part[:100], *odd_events(number)]))
        files.append(str(path))
    return files


@pytest.fixture(scope="module")
def duckdb_workspace(tmp_path_factory, parts):
    workspace = add_models(make_workspace(tmp_path_factory.mktemp("duckdb") / "workspace"))
    for part in parts:
        load_files(workspace, [part])
    transform(workspace, as_of=AS_OF, arguments=MODELS_ONLY)
    return workspace


@pytest.fixture(scope="module")
def built_workspace(tmp_path_factory, emulator, parts):
    """On BigQuery: a load and a transform for each part; the last with all tests."""
    workspace = make_workspace(tmp_path_factory.mktemp("bigquery") / "workspace")
    workspace = add_models(on_bigquery(workspace, emulator))
    for part in parts[:-1]:
        load_files(workspace, [part])
        transform(workspace, as_of=AS_OF, arguments=MODELS_ONLY)
    load_files(workspace, [parts[-1]])
    report = transform(workspace, as_of=AS_OF)
    assert set(report.counts) == {"success", "pass"}
    return workspace


def test_every_scan_of_calls_in_an_incremental_run_names_its_days(built_workspace):
    models = models_of(built_workspace)

    are_pruned = {
        name: [names_days(scan.args.get("where")) for scan in scans_of(statements, CALLS)]
        for name, statements in models.items()
        if name not in CALLS
    }

    read_calls = {name for name, scans in are_pruned.items() if scans}
    assert read_calls == {*INCREMENTAL - {"int_identity_log"}, *OF_WHOLE_TABLES}
    assert {name for name in read_calls if not all(are_pruned[name])} == OF_WHOLE_TABLES


def test_every_test_of_calls_names_its_days(built_workspace):
    scans = [
        scan
        for statements in checks_of(built_workspace).values()
        for scan in scans_of(statements, CALLS | {"events", "int_events"})
    ]

    assert len(scans) > 20
    assert [scan.sql() for scan in scans if not names_days(scan.args.get("where"))] == []


def test_a_merge_of_events_reads_only_the_days_of_new_loads(built_workspace):
    [merge] = models_of(built_workspace, "run")["int_events"]

    assert isinstance(merge, exp.Merge)
    assert names_days(merge.args["on"], "DBT_INTERNAL_DEST")


def test_tables_of_both_warehouses_are_equal_row_by_row(duckdb_workspace, built_workspace):
    wanted, found = read_marts(duckdb_workspace), read_marts(built_workspace)

    for table in MARTS:
        assert wanted[table], f"{table} is empty"
        missing, extra = wanted[table] - found[table], found[table] - wanted[table]
        assert (table, list(missing)[:3], list(extra)[:3]) == (table, [], [])


def test_a_build_that_forgot_what_it_applied_changes_nothing(built_workspace):
    built = read_marts(built_workspace)
    # as if killed after the models of the last load, before they were noted
    rows_of(
        built_workspace,
        "delete from int_applied_loads where load_id = (select max(load_id) from int_loads)",
    )

    transform(built_workspace, as_of=AS_OF, arguments=MODELS_ONLY)

    assert read_marts(built_workspace) == built


def test_a_full_refresh_gives_what_the_loads_gave_one_by_one(built_workspace):
    built = read_marts(built_workspace)

    transform(built_workspace, as_of=AS_OF, arguments=[*MODELS_ONLY, "--full-refresh"])

    assert read_marts(built_workspace) == built
