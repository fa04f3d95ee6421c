import duckdb
import pytest

CONFIG = """\
destinations:
  hook:
    type: webhook
    base_url: http://127.0.0.1:9
syncs:
  users:
    destination: hook
    model: users
    key: {id: canonical_user_id}
"""


@pytest.fixture
def configured(workspace):
    (workspace.root / "headwater.yml").write_text(CONFIG)
    return workspace


def test_without_syncs_that_is_said(headwater, workspace):
    ended = headwater("sync")

    assert ended.code == 0
    assert "headwater.yml has none yet" in ended.out


def test_an_unknown_name_names_the_nearest(headwater, configured):
    ended = headwater("sync", "user")

    assert (ended.code, ended.out) == (2, "")
    assert "did you mean 'users'?" in ended.err


def test_before_the_first_transform_it_says_to_run_one(headwater, configured):
    ended = headwater("sync", "--json")

    [report] = ended.document
    assert ended.code == 2
    assert "headwater transform" in report["error"]
    assert ended.err.startswith("error: sync users: ")


def test_a_dry_run_shows_rows_as_json_values(headwater, configured):
    headwater("status")
    configured.warehouse.chmod(0o644)
    with duckdb.connect(configured.warehouse) as connection:
        connection.execute("create schema analytics")
        connection.execute(
            "create table analytics.users as "
            "select 'u1' as canonical_user_id, null as plan, chr(27) || '[2J' as name"
        )

    ended = headwater("sync", "--dry-run")

    assert ended.code == 0
    assert "users: would send 1 rows (1 new, 0 changed, 0 unchanged)" in ended.out
    assert "+ id=u1: " in ended.out
    assert "plan null" in ended.out
    assert "\x1b" not in ended.out
