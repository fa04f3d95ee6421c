"""`headwater transform`: what dbt built is published whole or not at all."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile, copytree

import duckdb
import pytest

from loader.config import Workspace, open_workspace
from loader.errors import Busy, ConfigError, TransformFailed
from loader.locks import exclusive
from loader.transform import transform
from loader.warehouse import connect
from tests.transform.conftest import ROOT

PROJECT = """
name: tiny
profile: headwater
model-paths: [models]
flags: {send_anonymous_usage_stats: false}
vars: {as_of: null}
"""
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace whose dbt project has no models yet."""
    (tmp_path / "headwater.yml").write_text("{}")
    (tmp_path / "dbt_project.yml").write_text(PROJECT)
    copyfile(ROOT / "profiles.yml", tmp_path / "profiles.yml")
    (tmp_path / "models").mkdir()
    return open_workspace(tmp_path)


def write_models(workspace: Workspace, **models: str) -> None:
    for name, text in models.items():
        suffix = "yml" if text.startswith("models:") else "py" if "def model" in text else "sql"
        (workspace.root / "models" / f"{name}.{suffix}").write_text(text)


def tables(workspace: Workspace) -> set[str]:
    with connect(workspace) as connection:
        query = "select table_name from duckdb_tables() where schema_name = 'analytics'"
        return {name for (name,) in connection.execute(query).fetchall()}


def test_the_whole_project_builds_on_a_workspace_that_has_no_events(tmp_path: Path):
    (tmp_path / "headwater.yml").write_text("{}")
    for name in ("dbt_project.yml", "profiles.yml"):
        copyfile(ROOT / name, tmp_path / name)
    copytree(ROOT / "dbt_project", tmp_path / "dbt_project")
    workspace = open_workspace(tmp_path)

    # dbt then fails on a warning: a deprecation, a config path that nothing uses
    report = transform(workspace, arguments=["--warn-error"])

    assert set(report.counts) == {"success", "pass"}
    assert {"users", "orders", "computed_traits", "audience_memberships"} <= tables(workspace)


def test_models_are_published_with_the_moment_they_speak_for_and_warnings_are_reported(
    workspace: Workspace,
):
    write_models(
        workspace,
        moment="{{ config(materialized='table') }} select '{{ var(\"as_of\") }}' as as_of",
        schema="models: [{name: moment, columns: [{name: as_of, data_tests: "
        "[{accepted_values: {arguments: {values: [never]}, config: {severity: warn}}}]}]}]",
    )
    lines: list[str] = []

    report = transform(workspace, as_of=NOON, arguments=["--fail-fast"], say=lines.append)

    with connect(workspace) as connection:
        assert connection.sql("from analytics.moment").fetchall() == [(NOON.isoformat(),)]
    assert report.as_of == NOON
    assert report.counts == {"success": 1, "warn": 1}
    assert [(node.kind, node.file) for node in report.warnings] == [("test", "models/schema.yml")]
    assert len(lines) == 2
    assert lines[0].startswith("1 of 2 OK created sql table model analytics.moment")
    assert not (workspace.dbt / "build").exists()


def test_every_failed_node_is_named_and_nothing_is_published(workspace: Workspace):
    write_models(
        workspace,
        good="{{ config(materialized='table') }} select null as id",
        wrong="select nothing_of_the_kind from {{ ref('good') }}",
        schema="models: [{name: good, columns: [{name: id, "
        "data_tests: [{not_null: {config: {severity: error}}}]}]}]",
        apart="select missing from (select 1 as one)",
    )

    with pytest.raises(TransformFailed) as failure:
        transform(workspace)

    message = str(failure.value)
    assert "2 of 4 nodes failed" in message
    assert "model apart (models/apart.sql): " in message
    assert '"missing" not found' in message
    assert "test not_null_good_id (models/schema.yml): Got 1 result" in message
    assert "model wrong" not in message  # skipped, since the test of what it reads failed
    assert "Fix: " in message
    assert tables(workspace) == set()
    with duckdb.connect(workspace.dbt / "build" / "warehouse.duckdb", read_only=True) as built:
        assert built.sql("from analytics.good").fetchall() == [(None,)]


def test_a_killed_dbt_publishes_nothing_whatever_an_earlier_run_left(workspace: Workspace):
    write_models(
        workspace,
        deadly="import os, signal\n\n\ndef model(dbt, session):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n    return None\n",
    )
    target = workspace.dbt / "target"
    target.mkdir(parents=True)
    (target / "run_results.json").write_text(
        json.dumps({"metadata": {"env": {}, "invocation_started_at": str(NOON)}, "results": []})
    )

    with pytest.raises(TransformFailed, match="dbt was killed by signal 9"):
        transform(workspace)

    assert tables(workspace) == set()


def test_a_project_that_dbt_cannot_read_shows_what_dbt_said(workspace: Workspace):
    write_models(workspace, torn="select * from {{ ref('nowhere') }}")

    with pytest.raises(TransformFailed) as failure:
        transform(workspace)

    assert "which was not found" in str(failure.value)
    assert "dbt ended with code 2" in str(failure.value)


def test_one_transform_at_a_time(workspace: Workspace):
    with (
        exclusive(workspace.home / "transform.lock", "transform"),
        pytest.raises(Busy, match=str(os.getpid())),
    ):
        transform(workspace)


@pytest.mark.parametrize("name", ["dbt_project.yml", "profiles.yml"])
def test_a_workspace_without_its_dbt_project_says_what_is_missing(workspace: Workspace, name: str):
    (workspace.root / name).unlink()

    with pytest.raises(ConfigError, match=f"{name} does not exist"):
        transform(workspace)


def test_a_moment_without_a_zone_is_refused(workspace: Workspace):
    with pytest.raises(ConfigError, match="has no zone"):
        transform(workspace, as_of=datetime(2026, 3, 1))


@pytest.mark.parametrize("arguments", [["--vars", "{a: 1}"], ["--vars={a: 1}"]])
def test_a_moment_and_other_vars_are_not_silently_merged(workspace: Workspace, arguments):
    with pytest.raises(ConfigError, match="takes --vars once"):
        transform(workspace, as_of=NOON, arguments=arguments)
