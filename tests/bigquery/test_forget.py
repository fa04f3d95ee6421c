"""A person is forgotten in BigQuery as on DuckDB: raw tables, violations, log of loads, marts."""

from shutil import copyfile

from loader.config import Workspace
from loader.forget import forget, survey
from loader.load import load_files, rebuild_table
from loader.sync import run_syncs
from loader.transform import transform
from loader.warehouse.bigquery.client import connect_bigquery
from tests.bigquery.asking import rows_of
from tests.conftest import ROOT
from tests.forget.people import ANNA, ANNA_IDS, NEEDLES, of_anna, of_others
from tests.forget.test_forget import write
from tests.forget.trace import traces
from tests.twin.receiver import serving

PROJECT = """
name: tiny
profile: headwater
model-paths: [models]
flags: {send_anonymous_usage_stats: false}
vars: {as_of: null}
"""
MODELS = {
    "user_identifiers": """
        select to_hex(md5(user_id)) as canonical_user_id, 'user_id' as type, user_id as value
        from {{ env_var('HEADWATER_BIGQUERY_RAW_DATASET') }}.identifies
        union distinct
        select to_hex(md5(user_id)), 'anonymous_id', anonymous_id
        from {{ env_var('HEADWATER_BIGQUERY_RAW_DATASET') }}.identifies
        where anonymous_id is not null
        union distinct
        select to_hex(md5(user_id)), 'email', lower(trim(email))
        from {{ env_var('HEADWATER_BIGQUERY_RAW_DATASET') }}.identifies
    """,
    "events": """
        select calls.id, users.canonical_user_id, calls.anonymous_id
        from {{ env_var('HEADWATER_BIGQUERY_RAW_DATASET') }}.tracks as calls
        left join {{ ref('user_identifiers') }} as users
        on users.type = 'anonymous_id' and users.value = calls.anonymous_id
    """,
    "users": """
        select
            to_hex(md5(user_id)) as canonical_user_id,
            max(user_id) as user_id,
            max(email) as email,
            max(phone) as phone
        from {{ env_var('HEADWATER_BIGQUERY_RAW_DATASET') }}.identifies
        group by canonical_user_id
    """,
}
SYNCS = """
retention: {{archive_days: 100000}}
destinations: {{hook: {{type: webhook, base_url: {url}}}}}
syncs: {{by_phone: {{model: users, destination: hook, key: {{tel: phone}}}}}}
"""


def with_models(workspace: Workspace, url: str) -> Workspace:
    (workspace.root / "dbt_project.yml").write_text(PROJECT)
    copyfile(ROOT / "profiles.yml", workspace.root / "profiles.yml")
    (workspace.root / "models").mkdir()
    for name, sql in MODELS.items():
        config = "{{ config(materialized='table') }}"
        (workspace.root / "models" / f"{name}.sql").write_text(config + sql)
    with (workspace.root / "headwater.yml").open("a") as file:
        file.write(SYNCS.format(url=url))
    return Workspace(workspace.root)


def everything(workspace: Workspace) -> str:
    """All rows of all tables there."""
    config = workspace.config.warehouse
    client = connect_bigquery(workspace).client
    found = []
    for dataset in (config.raw_dataset, config.dataset):
        for table in client.list_tables(f"{config.project}.{dataset}"):
            found.append(repr(rows_of(workspace, f"select * from {dataset}.{table.table_id}")))
    return "\n".join(found)


def test_nothing_of_hers_is_left_there_or_here(bigquery_workspace, tmp_path):
    with serving() as receiver:
        workspace = with_models(bigquery_workspace, receiver.url)
        for number in range(2):
            hers = of_anna(str(number))
            events = [*of_others(str(number)), *hers[:3], *hers[4:]]  # but what only marts link
            load_files(workspace, [write(tmp_path / f"{number}.ndjson", events)])
        transform(workspace)
        run_syncs(workspace)
    before = everything(workspace)
    assert all(needle in before for needle in NEEDLES if needle != ANNA.lower())

    found = survey(workspace, f"user_id:{ANNA_IDS[0]}")
    receipt = forget(workspace, found.person)

    left = everything(workspace).lower()
    assert [needle for needle in NEEDLES if needle.lower() in left] == []
    assert traces(workspace, *NEEDLES) == []
    assert receipt.erased["raw.identifies"] == receipt.erased["sync by_phone"] == 2
    assert any("time travel" in told for told in receipt.left_to_others)
    logged = "select table_name, sum(`rows`) from {raw}.loads group by table_name"
    for table, count in rows_of(workspace, logged):
        assert rows_of(workspace, f"select count(*) from {{raw}}.{table}") == [(count,)], table
    rebuilt = rebuild_table(workspace, "tracks")
    assert (rebuilt.rows, rebuilt.missing_rows, rebuilt.changed) == (0, 0, [])
