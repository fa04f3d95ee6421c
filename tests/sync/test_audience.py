"""An audience goes out as its users and whether they are members now."""

import pytest

from loader.errors import ConfigError

USERS = """
create table users as select * from (values ('u1', 'id1', 'a@x', 'pro'), ('u2', null, 'b@x', null))
as t (canonical_user_id, user_id, email, plan)
"""
VIEW = "create view audience_big_spenders as select * from users"


def memberships(*rows):
    values = ", ".join(
        f"('big_spenders', '{user}', timestamp '2024-01-01', {exited})" for user, exited in rows
    )
    other = "('others', 'u9', timestamp '2024-01-01', null)"
    return (
        f"create table audience_memberships as select * from (values {values}, {other}) "
        "as t (audience, canonical_user_id, entered_at, exited_at)"
    )


@pytest.fixture
def audience(place):
    place.configure(users={"audience": "big_spenders"})
    return place


GONE = "timestamp '2024-02-01'"


def test_a_member_is_sent_with_the_ids_that_are_known(audience):
    audience.publish(USERS, VIEW, memberships(("u1", "null"), ("u2", GONE)))

    audience.run()

    bodies = sorted(audience.sent(), key=lambda body: body["key"]["canonical_user_id"])
    assert [(body["key"]["canonical_user_id"], body["fields"]) for body in bodies] == [
        ("u1", {"big_spenders": True, "email": "a@x", "user_id": "id1"}),
        ("u2", {"big_spenders": False, "email": "b@x", "user_id": None}),
    ]


def test_leaving_and_coming_back_are_changes(audience):
    audience.publish(USERS, VIEW, memberships(("u1", "null")))
    audience.run()
    audience.publish(USERS, VIEW, memberships(("u1", GONE)))
    left = audience.run()
    audience.publish(USERS, VIEW, memberships(("u1", GONE), ("u1", "null")))
    back = audience.run()

    assert (left.changed, back.changed) == (1, 1)
    assert [body["fields"]["big_spenders"] for body in audience.sent()] == [True, False, True]
    assert audience.sent()[1]["changed"] == ["big_spenders"]


def test_a_member_that_users_does_not_have_is_sent_all_the_same(audience):
    audience.publish(USERS, VIEW, memberships(("u7", "null")))

    audience.run()

    [body] = audience.sent()
    assert body["fields"] == {"big_spenders": True, "email": None, "user_id": None}


def test_users_without_an_email_column_are_no_obstacle(audience):
    users = "create table users as select 'u1' as canonical_user_id, 'id1' as user_id"
    audience.publish(users, VIEW, memberships(("u1", "null")))

    audience.run()

    assert audience.sent()[0]["fields"] == {"big_spenders": True, "user_id": "id1"}


def test_key_and_fields_can_be_chosen_and_membership_always_goes_along(audience):
    audience.configure(
        users={"audience": "big_spenders", "key": {"id": "user_id"}, "fields": {"tariff": "plan"}}
    )
    audience.publish(USERS, VIEW, memberships(("u1", "null")))

    audience.run()

    [body] = audience.sent()
    assert (body["key"], body["fields"]) == (
        {"id": "id1"},
        {"big_spenders": True, "tariff": "pro"},
    )


def test_an_audience_that_nobody_ever_entered_sends_nothing(audience):
    audience.publish(USERS, VIEW, memberships(("u1", "null")).replace("big_sp", "small_sp"))

    report = audience.run()

    assert (report.error, report.added) == (None, 0)


def test_a_member_who_vanished_from_the_audience_is_told_to_be_none(audience):
    audience.publish(USERS, VIEW, memberships(("u1", "null"), ("u2", "null")))
    audience.run()

    audience.publish(USERS, VIEW, memberships(("u1", "null")))
    report, again = audience.run(), audience.run()

    assert (report.changed, report.delivered, again.changed) == (1, 1, 0)
    assert audience.sent()[-1]["fields"]["big_spenders"] is False


def test_an_unknown_audience_names_the_nearest(audience):
    audience.configure(users={"audience": "big_spender"})
    audience.publish(USERS, VIEW, memberships(("u1", "null")))

    report = audience.run()

    assert isinstance(report.error, ConfigError)
    assert "syncs.users.audience" in report.error.message
    assert report.error.fix == "did you mean 'big_spenders'?"
