"""The identifiers of events, by the rules of headwater.yml, are equal in both warehouses."""

import json

import pytest

from loader.config import Workspace
from loader.load import load_files
from loader.transform import transform
from loader.warehouse import connect
from tests.bigquery.asking import rows_of
from tests.bigquery.conftest import on_bigquery
from tests.bigquery.models import MODELS_ONLY, add_models
from tests.conftest import make_workspace
from tests.transform.identifiers import (
    EVENTS,
    EXPECTED,
    EXPECTED_TYPES,
    QUERY,
    RULES,
    TYPES_MODEL,
    TYPES_QUERY,
)


def build(workspace: Workspace) -> Workspace:
    """The workspace with the events loaded and their identifiers as views."""
    add_models(workspace)
    with (workspace.root / "headwater.yml").open("a") as file:
        file.write(RULES)
    workspace = Workspace(workspace.root)
    models = workspace.root / "dbt_project/models/identity"
    (models / "types.sql").write_text(TYPES_MODEL)
    events = workspace.root / "events.ndjson"
    events.write_text("\n".join(map(json.dumps, EVENTS)))
    report = load_files(workspace, [str(events)])
    assert (report.accepted, report.blocked) == (len(EVENTS), 0)
    transform(workspace, arguments=["--select", "+types", *MODELS_ONLY])
    return workspace


def test_on_duckdb(tmp_path):
    workspace = build(make_workspace(tmp_path / "workspace"))

    with connect(workspace) as connection:
        connection.execute("set search_path = 'analytics'")
        assert connection.execute(QUERY).fetchall() == EXPECTED
        assert connection.execute(TYPES_QUERY).fetchall() == EXPECTED_TYPES


@pytest.mark.usefixtures("emulator")
def test_on_bigquery(tmp_path, emulator):
    workspace = build(on_bigquery(make_workspace(tmp_path / "workspace"), emulator))

    assert rows_of(workspace, QUERY) == EXPECTED
    assert rows_of(workspace, TYPES_QUERY) == EXPECTED_TYPES
