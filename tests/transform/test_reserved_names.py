"""Raw tables and columns whose names SQL reserves, as models of dbt find them."""

import json

from loader.load import load_files
from loader.transform import transform
from loader.warehouse import connect
from tests.transform.test_transform import workspace, write_models

__all__ = ["workspace"]

SOURCES = """models: []
sources:
  - name: raw
    tables: [{name: select}, {name: group}]
"""
MODEL = """{{ config(materialized='table') }}
select id, "order", "user", filename from {{ source('raw', 'select') }}
union all
select id, "order", "user", filename from {{ source('raw', 'group') }}
"""


def test_models_read_tables_whose_names_sql_reserves(workspace, tmp_path):
    properties = {"order": 5, "user": "u", "filename": "f"}
    lines = [
        json.dumps({"type": "track", "event": name, "userId": "u", "properties": properties})
        for name in ("Select", "Group")
    ]
    (tmp_path / "events.ndjson").write_text("\n".join(lines))
    load_files(workspace, [str(tmp_path / "events.ndjson")])
    write_models(
        workspace, _sources=SOURCES, table=MODEL, view='select "order" from {{ ref("table") }}'
    )

    transform(workspace)

    with connect(workspace) as connection:
        found = connection.execute('select "order", "user", filename from analytics."table"')
        assert found.fetchall() == [(5, "u", "f"), (5, "u", "f")]
