"""Traits, groups and sessions of users, from events that were loaded as any others."""

from loader.load import load_files
from loader.transform import transform
from loader.warehouse import connect
from tests.bigquery.models import MODELS_ONLY, add_models
from tests.conftest import make_workspace
from tests.transform.conftest import Dbt
from tests.transform.profiles import check, write_events
from tests.transform.raw import Event, day

SESSIONS = "from analytics.sessions order by started_at, session_id"


def test_traits_groups_and_sessions_are_as_segments_rules_have_them(tmp_path):
    workspace = add_models(make_workspace(tmp_path / "workspace"))
    load_files(workspace, [write_events(tmp_path / "events.ndjson")])

    transform(workspace, arguments=MODELS_ONLY)

    with connect(workspace) as connection:
        connection.execute("set schema = 'analytics'")
        check(lambda sql: connection.execute(sql).fetchall())


def page(seq: int, minutes: float, device: str, **columns: object) -> Event:
    at = day(minutes / 1440)
    return {"table": "pages", "_seq": seq, "anonymous_id": device, "timestamp": at, **columns}


def test_sessions_follow_late_events_and_merges_as_a_full_refresh_would(dbt: Dbt):
    dbt.load(
        1,
        [
            page(1, 0, "a1", url="/a"),
            page(2, 40, "a1", url="/b"),
            page(3, 20, "a2", url="/c"),
            page(4, 300, "a2", url="/d"),
            page(5, 10, "a3", url="/e"),
        ],
    )
    dbt.run()
    before = dbt.query(SESSIONS)
    dbt.load(
        2,
        [
            page(6, -5, "a1", url="/late"),
            {**page(7, 500, "a1", context_traits_email="j@x.io"), "table": "screens"},
            {**page(8, 600, "a2", email="j@x.io"), "table": "identifies"},
        ],
    )

    dbt.run()

    after = dbt.query(SESSIONS)
    [(older,)] = dbt.query("select canonical_user_id from analytics.events where id = 'm1'")
    [(other,)] = dbt.query("select canonical_user_id from analytics.events where id = 'm5'")
    assert len(before) == 5
    assert [(user, *rest[:2], url) for _, user, _, _, *rest, url, _ in after] == [
        (older, 4, 4, "/late"),
        (other, 1, 1, "/e"),
        (older, 1, 1, "/d"),
        (older, 1, 0, None),
    ]
    kept = {session[0] for session in before} & {session[0] for session in after}
    assert kept == {row[0] for row in after if row[6] in ("/d", "/e")}
    dbt.run("--full-refresh")
    assert dbt.query(SESSIONS) == after


def test_without_new_loads_sessions_stay_as_they_are(dbt: Dbt):
    dbt.load(1, [page(1, 0, "a1"), page(2, 40, "a2")])
    dbt.run()
    before = dbt.query(SESSIONS)

    dbt.run("--select", "sessions")

    assert dbt.query(SESSIONS) == before
