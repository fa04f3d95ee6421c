"""`headwater transform` on BigQuery: reports, failures, several loaders, and SQL that parses."""

import json
from datetime import UTC, datetime

import pytest

from loader.cli.transform import as_document, describe
from loader.errors import TransformFailed
from loader.load import load_files
from loader.transform import transform
from tests.bigquery.asking import rows_of
from tests.bigquery.conftest import on_bigquery
from tests.bigquery.models import (
    MODELS_ONLY,
    add_models,
    checks_of,
    models_of,
    names_days,
    read_mart,
    scans_of,
)
from tests.conftest import make_workspace
from tests.transform.profiles import check, write_events

EVENTS_ONLY = ("--select", "+events", *MODELS_ONLY)
RAW_TABLES = {"tracks", "identifies", "pages", "screens", "groups", "aliases"}


def page(number, day, user="u1"):
    return {
        "type": "page",
        "userId": user,
        "messageId": f"m{number}",
        "receivedAt": f"2026-03-{day:02}T10:00:00Z",
    }


@pytest.fixture
def load(tmp_path):
    """Loads pages, given as number and day, into a workspace."""

    def load_pages(workspace, *pages):
        path = tmp_path / "pages.ndjson"
        path.write_text("\n".join(json.dumps(page(*given)) for given in pages))
        load_files(workspace, [str(path)])

    return load_pages


def test_the_whole_project_builds_where_nothing_was_loaded(bigquery_workspace):
    add_models(bigquery_workspace)

    # dbt then fails on a warning: a deprecation, a config path that nothing uses
    report = transform(bigquery_workspace, arguments=["--warn-error"])

    assert set(report.counts) == {"success", "pass"}
    assert report.bytes_processed == 0
    assert as_document(report)["bytes_processed"] == 0
    assert "BigQuery processed 0.0 MB" in describe(report)
    every = [*models_of(bigquery_workspace).values(), *checks_of(bigquery_workspace).values()]
    assert len(every) > 100  # and sqlglot has parsed each


def test_a_model_that_fails_is_named_and_so_is_what_was_built_before(bigquery_workspace):
    add_models(bigquery_workspace)
    model = bigquery_workspace.root / "dbt_project/models/marts/users.sql"
    model.write_text("select nothing_of_the_kind from {{ ref('int_canonical_ids') }}")

    with pytest.raises(TransformFailed) as failure:
        transform(bigquery_workspace, arguments=["--select", "+users", *MODELS_ONLY])

    dataset = bigquery_workspace.config.warehouse.dataset
    assert "model users (dbt_project/models/marts/users.sql): " in str(failure.value)
    assert f"what was built before is new in headwater-test.{dataset}" in str(failure.value)


def test_of_an_event_that_two_loaders_bring_the_first_counts(tmp_path, emulator, load):
    first = add_models(on_bigquery(make_workspace(tmp_path / "first"), emulator))
    shared = first.config.warehouse
    second = on_bigquery(
        make_workspace(tmp_path / "second"),
        emulator,
        raw_dataset=shared.raw_dataset,
        dataset=shared.dataset,
    )
    load(first, (1, 1, "first"), (2, 1, "first"))
    transform(first, arguments=EVENTS_ONLY)
    load(second, (2, 1, "second"), (3, 2, "second"), (4, 2, "second"))
    load(first, (3, 4, "first"), (5, 4, "first"))  # 3 again two days later
    transform(first, arguments=EVENTS_ONLY)
    load(second, (5, 7, "second"), (6, 7, "second"))  # 5 again three days later: another event
    transform(first, arguments=EVENTS_ONLY)

    events = rows_of(first, "select id, user_id from events order by received_at, id")

    assert events == [
        *(("m1", "first"), ("m2", "first"), ("m3", "second"), ("m4", "second")),
        *(("m5", "first"), ("m5", "second"), ("m6", "second")),
    ]
    arrived = rows_of(first, "select id from int_events order by _seq")
    assert [event_id for (event_id,) in arrived] == ["m1", "m2", "m3", "m4", "m5", "m5", "m6"]
    scans = scans_of(models_of(first)["stg_repeats"], RAW_TABLES)
    assert len(scans) == len(RAW_TABLES)
    assert all(names_days(scan.args.get("where")) for scan in scans)
    built = read_mart(first, "events")
    transform(first, arguments=[*EVENTS_ONLY, "--full-refresh"])
    assert read_mart(first, "events") == built


def test_rows_of_a_load_that_is_not_committed_do_not_count(bigquery_workspace, load):
    add_models(bigquery_workspace)
    load(bigquery_workspace, (1, 1))
    load(bigquery_workspace, (2, 1))
    rows_of(
        bigquery_workspace,
        "delete from {raw}.loads where load_id = (select max(load_id) from {raw}.pages)",
    )

    transform(bigquery_workspace, as_of=datetime.now(UTC), arguments=MODELS_ONLY)

    assert rows_of(bigquery_workspace, "select id from events") == [("m1",)]


def test_traits_groups_and_sessions_are_as_on_duckdb(bigquery_workspace, tmp_path):
    add_models(bigquery_workspace)
    load_files(bigquery_workspace, [write_events(tmp_path / "events.ndjson")])

    transform(bigquery_workspace, arguments=MODELS_ONLY)

    check(lambda sql: rows_of(bigquery_workspace, sql), groups="`groups`")
