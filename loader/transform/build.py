"""One transform: copy the warehouse, let dbt build in the copy, publish the copy.

On BigQuery dbt builds in place: a table is replaced there at once or not at all, and its readers
go on with the one that they began with. A copy of all of them would be billed.
"""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from loader.config import Workspace
from loader.errors import ConfigError
from loader.locks import exclusive
from loader.overrides import read_overrides
from loader.transform.dbt import DbtRun, run_dbt
from loader.transform.results import NodeResult
from loader.transform.targets import bigquery_target, duckdb_target
from loader.warehouse import connect, publish, start_build

_MODELS_ONLY = ("--exclude-resource-types", "test", "unit_test")
_PROJECT_FILES = ("dbt_project.yml", "profiles.yml")


@dataclass(frozen=True, kw_only=True)
class TransformReport:
    """What a transform that was published did."""

    as_of: datetime
    seconds: float
    counts: dict[str, int]  # dbt's status (success, pass, warn, skipped …) -> nodes
    warnings: tuple[NodeResult, ...]
    messages: tuple[str, ...]  # what publishing had to put right
    bytes_processed: int | None = None  # by BigQuery, as dbt tells; None on DuckDB
    bytes_billed: int | None = None


def transform(
    workspace: Workspace,
    *,
    as_of: datetime | None = None,
    arguments: Sequence[str] = (),
    say: Callable[[str], None] | None = None,
) -> TransformReport:
    """Run `dbt build` and publish what it built; `arguments` go to dbt, `say` hears each node end.

    Raises TransformFailed if a model or a test failed (a published file is then as it was; on
    BigQuery models built before the failure stay), ConfigError if the workspace has no dbt project
    or a row of identity_overrides.csv is wrong, Busy if another transform is at work here.
    """
    _check_project(workspace)
    read_overrides(workspace)
    options = [*arguments, *_as_of_option(as_of, arguments)]
    with exclusive(workspace.home / "transform.lock", "transform"):
        if workspace.config.warehouse.is_bigquery:
            _check_bigquery(workspace)
            return _report(run_dbt(workspace, bigquery_target(workspace), options, say), as_of)
        build = start_build(workspace)
        run = run_dbt(workspace, duckdb_target(build), options, say)
        return _report(run, as_of, publish(workspace, build))


def build_anew(workspace: Workspace, *, say: Callable[[str], None] | None = None) -> bool:
    """Build every model from raw tables alone; whether there were any to build anew.

    Nothing of before is left: on DuckDB they are built in a new file, dbt's artifacts and logs go.
    What models remember beyond raw tables (snapshots) begins anew. Data tests are not run: they
    must not keep what has to go. A transform that is at work is waited for; errors as `transform`.
    """
    with exclusive(workspace.home / "transform.lock", "transform", wait=True):
        shutil.rmtree(workspace.dbt, ignore_errors=True)
        if workspace.config.warehouse.is_bigquery:
            if has_marts := _has_bigquery_marts(workspace):
                _check_project(workspace)
                options = [*_MODELS_ONLY, "--full-refresh"]
                run_dbt(workspace, bigquery_target(workspace), options, say)
        else:
            has_marts = _has_duckdb_marts(workspace)
            build = start_build(workspace, is_empty=True)
            if has_marts:
                _check_project(workspace)
                run_dbt(workspace, duckdb_target(build), _MODELS_ONLY, say)
            publish(workspace, build)
        return has_marts


def _has_duckdb_marts(workspace: Workspace) -> bool:
    query = "select 1 from duckdb_tables() where schema_name = 'analytics' limit 1"
    with connect(workspace) as connection:
        return connection.execute(query).fetchone() is not None


def _has_bigquery_marts(workspace: Workspace) -> bool:
    from google.api_core.exceptions import NotFound  # noqa: PLC0415 - slow

    from loader.warehouse.bigquery.client import ASKED, connect_bigquery  # noqa: PLC0415

    connection = connect_bigquery(workspace)
    dataset = f"{connection.config.project}.{connection.config.dataset}"
    with connection.asking(f"dataset {dataset}"):
        try:
            return any(True for _ in connection.client.list_tables(dataset, **ASKED))
        except NotFound:
            return False


def _check_project(workspace: Workspace) -> None:
    for name in _PROJECT_FILES:
        if not (workspace.root / name).is_file():
            raise ConfigError(
                f"{workspace.root / name} does not exist: there is no dbt project to build",
                fix="take it from a workspace that `headwater init DIR` writes",
            )


def _check_bigquery(workspace: Workspace) -> None:
    """What keeps every job from running is told at once, and plainly; dbt tries for long."""
    from loader.warehouse.bigquery.client import connect_bigquery  # noqa: PLC0415 - slow

    connect_bigquery(workspace).dry_run("select 1", where="transform")


def _as_of_option(as_of: datetime | None, arguments: Sequence[str]) -> list[str]:
    """The dbt option that sets the moment; without one dbt takes the run's start."""
    if as_of is None:
        return []
    if as_of.tzinfo is None:
        raise ConfigError(
            f"as of {as_of.isoformat()}: the time has no zone",
            fix=f"write {as_of.isoformat()}Z, or the zone's offset instead of Z",
        )
    if any(argument.split("=")[0] == "--vars" for argument in arguments):
        raise ConfigError(
            "--as-of sets a dbt var, and dbt takes --vars once only",
            fix="add as_of to your --vars and leave out --as-of",
        )
    return ["--vars", json.dumps({"as_of": as_of.isoformat()})]


def _report(run: DbtRun, as_of: datetime | None, messages: Sequence[str] = ()) -> TransformReport:
    nodes = run.results.nodes
    return TransformReport(
        as_of=as_of or run.results.started_at,
        seconds=run.seconds,
        counts=dict(Counter(result.status for result in nodes)),
        warnings=tuple(result for result in nodes if result.status == "warn"),
        messages=tuple(messages),
        bytes_processed=run.results.bytes_processed,
        bytes_billed=run.results.bytes_billed,
    )
