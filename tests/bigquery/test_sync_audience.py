"""An audience in BigQuery: who enters, leaves, comes back and vanishes."""

import pytest

USERS = """
select * from unnest([
    struct('u1' as canonical_user_id, 'id1' as user_id, 'a@x' as email, 'pro' as plan),
    struct('u2', cast(null as string), 'b@x', cast(null as string))
])
"""
GONE = "timestamp '2024-02-01'"
NOW = "cast(null as timestamp)"


def memberships(*rows):
    told = ", ".join(
        f"struct('{name}' as audience, '{user}' as canonical_user_id, "
        f"timestamp '2024-01-01' as entered_at, {exited} as exited_at)"
        for name, user, exited in (*rows, ("others", "u9", NOW))
    )
    return f"select * from unnest([{told}])"


@pytest.fixture
def audience(marts):
    """Publishes who belongs to the audience of the sync, then runs it."""
    marts.configure(users={"audience": "big_spenders"})

    def run(*members):
        rows = [("big_spenders", user, exited) for user, exited in members]
        view = "select canonical_user_id from unnest(['u1']) as canonical_user_id"
        marts.publish(
            users=USERS, audience_big_spenders=view, audience_memberships=memberships(*rows)
        )
        return marts.run()

    return run


def test_members_are_sent_with_what_is_known_of_them(audience, marts):
    report = audience(("u1", NOW), ("u2", GONE), ("u7", NOW))

    bodies = sorted(marts.sent(), key=lambda body: body["key"]["canonical_user_id"])
    assert (report.error, report.delivered) == (None, 3)
    assert [(body["key"]["canonical_user_id"], body["fields"]) for body in bodies] == [
        ("u1", {"big_spenders": True, "email": "a@x", "user_id": "id1"}),
        ("u2", {"big_spenders": False, "email": "b@x", "user_id": None}),
        ("u7", {"big_spenders": True, "email": None, "user_id": None}),
    ]


def test_leaving_and_coming_back_are_changes(audience, marts):
    audience(("u1", NOW))
    left = audience(("u1", GONE))
    back = audience(("u1", GONE), ("u1", NOW))

    assert (left.changed, back.changed) == (1, 1)
    assert [body["fields"]["big_spenders"] for body in marts.sent()] == [True, False, True]


def test_a_member_who_vanished_is_told_to_be_none_once(audience, marts):
    audience(("u1", NOW), ("u2", NOW))
    report, again = audience(("u1", NOW)), audience(("u1", NOW))

    assert (report.changed, report.delivered, report.unchanged) == (1, 1, 1)
    assert (again.changed, again.unchanged) == (0, 2)
    assert marts.sent()[-1]["key"] == {"canonical_user_id": "u2"}
    assert marts.sent()[-1]["fields"] == {"big_spenders": False, "email": "b@x", "user_id": None}
    assert marts.sent()[-1]["changed"] == ["big_spenders"]


def test_a_member_who_vanished_and_came_back_is_sent_again(audience, marts):
    audience(("u1", NOW), ("u2", NOW))
    audience(("u1", NOW))
    report = audience(("u1", NOW), ("u2", NOW))

    assert (report.changed, report.delivered) == (1, 1)
    assert marts.sent()[-1]["fields"]["big_spenders"] is True
