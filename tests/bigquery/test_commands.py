"""Commands that look at what was loaded, in a workspace whose event tables are in BigQuery."""

import json
import shutil
import time
from datetime import UTC, datetime, timedelta

import pytest

from loader.alerts import AlertState, Counts
from loader.authoring import draft_contracts
from loader.cli import main
from loader.config import Workspace
from loader.demo.workspace import make_workspace as make_demo
from loader.errors import ConfigError
from loader.load import Selection, list_violations, load_files, retry_violations
from loader.load.news import NewsReader
from loader.warehouse import commit_manifest, compact, compactable, read_manifest
from loader.warehouse.bigquery.shipment import read_shipping, write_shipping
from tests.bigquery.asking import rows_of
from tests.load.test_retry import ORDER, mend, order


@pytest.fixture
def load(bigquery_workspace, write_ndjson):
    return lambda *events: load_files(bigquery_workspace, [write_ndjson(events)])


def recent(number, **properties):
    """An event of the days that the archive keeps."""
    at = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    return {**order(number, **properties), "receivedAt": at, "sentAt": at}


def open_ids(workspace):
    rows, _ = list_violations(workspace, Selection(), is_all=False, max_rows=100)
    return {row.message_id for row in rows}


def forget_ids(workspace):
    """Let the workspace be as it is once `dedupe_days` are over."""
    manifest = read_manifest(workspace)
    manifest.id_runs = []
    manifest.version += 1
    commit_manifest(workspace, manifest)


def test_what_was_kept_back_is_listed_and_retried_once(bigquery_workspace, load):
    workspace = bigquery_workspace
    load(recent(1), recent(2), recent(3, total=1))
    assert open_ids(workspace) == {"m-1", "m-2"}
    mend(workspace)

    reports = [retry_violations(workspace, Selection())]
    forget_ids(workspace)
    reports.append(retry_violations(workspace, Selection()))

    assert [report.accepted for report in reports] == [2, 0]
    assert open_ids(workspace) == set()
    found = rows_of(workspace, "select id, total from {raw}.order_completed order by id")
    assert [id_ for id_, _ in found] == ["m-1", "m-2", "m-3"]


def test_what_was_sent_again_meanwhile_is_not_kept_back(bigquery_workspace, load):
    load(recent(1), recent(2))
    load(recent(1, total=14500))

    assert open_ids(bigquery_workspace) == {"m-2"}


def test_nothing_is_retried_that_may_have_been_forgotten(bigquery_workspace, load):
    load(recent(1))
    with (bigquery_workspace.root / "headwater.yml").open("a") as config:
        config.write("\nretention: {archive_days: 30, violations_days: 90}\n")

    with pytest.raises(ConfigError, match=r"(?s)archive_days is 30.*at least as long"):
        retry_violations(Workspace(bigquery_workspace.root), Selection())


def test_alerts_count_what_was_accepted_though_its_tables_are_there(bigquery_workspace, load):
    with (bigquery_workspace.root / "headwater.yml").open("a") as config:
        alert = "{type: webhook, url: http://127.0.0.1:9, violation_rate: 1%}"
        config.write(f"\ncontracts: {{alerts: [{alert}]}}\n")
    first = load(recent(1), recent(2, total=1), recent(3, total=1)).load_id
    workspace = Workspace(bigquery_workspace.root)

    state = AlertState(load_id=first - 1)
    news = NewsReader(workspace, read_manifest(workspace), state).read(time.time())

    assert news.loaded == {"file": Counts(events=3, violating=1)}
    assert sum(news.received.values()) == 2


def test_contracts_are_drafted_from_the_archive(bigquery_workspace, load):
    load(*({**recent(n), "event": "Trial", "properties": {"planName": "pro"}} for n in range(100)))

    [draft] = draft_contracts(bigquery_workspace, ["Trial"], max_events=1_000)

    assert draft.document["rules"]["required"] == ["planName"]


def test_and_from_rows_where_the_archive_has_none(bigquery_workspace, load):
    trial = {**ORDER, "event": "Trial"}
    values = {"planName": "pro", "3d": 1, "at": "2025-01-01T00:00:00Z", "tags": ["a"]}
    load(*({**trial, "messageId": f"t-{n}", "properties": values} for n in range(120)))
    load({**trial, "messageId": "odd", "properties": {**values, "3d": "x"}})
    shutil.rmtree(bigquery_workspace.archive, ignore_errors=True)

    [draft] = draft_contracts(bigquery_workspace, ["Trial"], max_events=1_000)
    [few] = draft_contracts(bigquery_workspace, ["Trial"], max_events=10)

    assert draft.is_from_columns
    assert draft.document["rules"] == {
        "required": ["plan_name", "3d", "at", "tags"],
        "properties": {
            "plan_name": {"type": "string"},
            "3d": {"type": ["string", "integer"]},
            "at": {"type": "string", "format": "date-time"},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
    }
    assert few.properties.kinds["object"] == 10


def test_only_logs_that_were_sent_are_compacted(bigquery_workspace, load):
    workspace = bigquery_workspace
    for number in range(3):
        load(order(number, total=1))
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    shipping = read_shipping(workspace)
    all_sent = shipping.shipped_load_id
    shipping.shipped_load_id -= 1
    write_shipping(workspace, shipping)
    few = {found.table: len(found.files) for found in due(workspace, tomorrow)}
    shipping.shipped_load_id = all_sent
    write_shipping(workspace, shipping)

    report = compact(workspace, now=tomorrow)

    assert few == {"loads": 2}
    assert (report.tables, report.files_after) == ({"loads": 1}, 1)
    assert load(order(4, total=1)).accepted == 1
    assert rows_of(workspace, "select count(*) from {raw}.tracks") == [(4,)]


def due(workspace, now):
    return compactable(workspace, read_manifest(workspace), now)


def test_a_demo_and_a_new_workspace_inside_are_on_duckdb(bigquery_workspace, capsys):
    inside = bigquery_workspace.root / "inside"

    assert main(["init", str(inside)]) == 0

    assert Workspace(inside).config.warehouse.type == "duckdb"
    assert make_demo(bigquery_workspace.root / "demo").config.warehouse.type == "duckdb"
    assert "A new workspace" in capsys.readouterr().out


def test_contracts_are_checked_compared_and_added(bigquery_workspace, load, capsys):
    load(recent(1, total=1))
    schemas = str(bigquery_workspace.schemas)

    def run(*arguments):
        return main(["--workspace", str(bigquery_workspace.root), *arguments])

    assert run("contracts", "check") == 0
    assert run("contracts", "add", "product_viewed") == 0
    assert run("contracts", "diff", schemas, schemas) == 0
    capsys.readouterr()
    assert run("load", "--rebuild", "order_completed", "--json") == 0
    assert json.loads(capsys.readouterr().out)["missing_rows"] == 0
