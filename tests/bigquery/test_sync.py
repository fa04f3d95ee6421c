"""What a sync sends from BigQuery, and what it doesn't."""

import logging

from loader.errors import ConfigError, LoaderError
from loader.sync import Change
from tests.bigquery.place import users
from tests.bigquery.standin import PROJECT
from tests.sync.place import Place
from tests.sync.place import users as duckdb_users

TWO = users(("a@x", "free", 1), ("b@x", "pro", 2))


def test_the_first_run_sends_every_row_as_from_duckdb(marts, tmp_path):
    local = Place(type(marts.workspace)(tmp_path / "local"), marts.receiver)
    local.workspace.root.mkdir()
    local.configure(users={"model": "users", "key": {"email": "email"}})
    local.publish(duckdb_users(("a@x", "free", 1), ("b@x", "pro", 2)))
    local.run()
    from_duckdb = list(marts.sent())
    marts.receiver.requests.clear()
    marts.publish(users=TWO)

    report = marts.run()

    assert (report.added, report.changed, report.unchanged, report.delivered) == (2, 0, 0, 2)
    assert marts.sent() == from_duckdb  # the message ids too
    assert marts.kept("diff_users") == []


def test_what_was_accepted_is_not_sent_again(marts):
    marts.publish(users=TWO)
    marts.run()
    marts.receiver.requests.clear()

    report = marts.run()

    assert (report.added, report.changed, report.unchanged, report.exit_code) == (0, 0, 2, 0)
    assert marts.sent() == []


def test_a_changed_row_is_sent_whole_and_names_its_changed_fields(marts):
    marts.publish(users=TWO)
    marts.run()
    marts.publish(users=users(("a@x", "pro", 1), ("b@x", "pro", 2)))

    report = marts.run()

    assert (report.added, report.changed, report.unchanged) == (0, 1, 1)
    last = marts.sent()[-1]
    assert (last["operation"], last["changed"]) == ("changed", ["plan"])
    assert last["fields"] == {"orders": 1, "plan": "pro"}


def test_a_row_that_returns_to_old_values_is_a_change_whatever_became_of_the_copies(marts):
    client = marts.bigquery.client
    for number, plan in enumerate(("free", "pro", "free", "pro")):
        marts.publish(users=users(("a@x", plan, 1)))
        if number == 2:
            for table in marts.kept("accepted_users"):
                client.delete_table(f"{PROJECT}.headwater.{table}")
        assert marts.run().delivered == 1

    assert len(set(marts.receiver.keys())) == 4


def test_a_copy_that_was_dropped_is_made_again(marts):
    marts.publish(users=users(("dropped@x", "free", 1)))
    marts.run()
    marts.run()
    before = marts.kept("accepted_users")
    for table in before:
        marts.bigquery.client.delete_table(f"{PROJECT}.headwater.{table}")

    report = marts.run()

    assert (report.unchanged, report.delivered) == (1, 0)
    assert set(marts.kept("accepted_users")) < set(before)


def test_rows_that_share_a_key_and_rows_without_one_are_never_sent(marts):
    rows = (("a@x", "pro", 1), ("c@x", "pro", 1), ("c@x", "free", 1), (None, "pro", 1))
    marts.publish(users=users(*rows))

    report, again = marts.run(), marts.run()

    assert (report.delivered, report.invalid, report.newly_refused) == (1, 3, 3)
    assert {refusal.reason for refusal in report.refusals} == {
        "2 rows have this key, wanted one",
        "key field email is null",
    }
    assert (again.unchanged, again.invalid, again.newly_refused) == (1, 3, 0)


def test_a_key_that_was_repeated_and_is_single_again_is_sent_if_it_changed(marts):
    marts.publish(users=users(("a@x", "pro", 1)))
    marts.run()
    marts.publish(users=users(("a@x", "pro", 1), ("a@x", "free", 1)))
    repeated = marts.run()
    marts.publish(users=users(("a@x", "free", 1)))

    report = marts.run()

    assert (repeated.delivered, repeated.invalid) == (0, 2)
    assert (report.changed, report.delivered) == (1, 1)


def test_a_dry_run_shows_changes_and_sends_and_records_nothing(marts):
    marts.publish(users=TWO)
    marts.run()
    state = (marts.workspace.state / "users.duckdb").read_bytes()
    marts.receiver.requests.clear()
    marts.publish(users=users(("a@x", "pro", 1), ("b@x", "pro", 2), ("c@x", "Анна", 3)))

    report = marts.run(dry_run=True)

    assert report.diff == [
        Change("changed", {"email": "a@x"}, {"plan": ("free", "pro")}),
        Change("added", {"email": "c@x"}, {"orders": (None, 3), "plan": (None, "Анна")}),
    ]
    assert marts.sent() == []
    assert (marts.workspace.state / "users.duckdb").read_bytes() == state


def test_an_empty_model_sends_nothing(marts):
    marts.publish(users=f"{TWO} where email is null")

    report = marts.run()

    assert (report.error, report.added, report.exit_code) == (None, 0, 0)


def test_without_the_storage_read_api_rows_come_by_rest(marts, caplog):
    marts.configure(
        warehouse={"storage_url": "http://127.0.0.1:9"},  # where nobody listens
        users={"model": "users", "key": {"email": "email"}},
    )
    marts.publish(users=TWO)

    with caplog.at_level(logging.WARNING):
        report = marts.run()

    assert report.delivered == 2
    assert "roles/bigquery.readSessionUser" in caplog.text
    assert marts.run().unchanged == 2


def test_more_rows_than_are_held_in_memory_at_a_time_all_arrive(marts):
    rows = "select cast(i as string) as email, i from unnest(generate_array(1, 2500)) as i"
    marts.publish(users=rows)

    report = marts.run()

    assert report.delivered == 2500
    assert len(set(marts.receiver.keys())) == 2500
    assert marts.run().unchanged == 2500


def test_names_of_any_kind_are_quoted(marts):
    marts.publish(users="select 'a@x' as email, 'pro' as `тариф`, 1 as `select`")
    fields = {"a\"'b\\": "тариф", "n": "select"}
    marts.configure(
        **{"Ünser 1.sync": {"model": "users", "key": {"k'": "email"}, "fields": fields}}
    )

    report = marts.run()

    assert (report.error, report.delivered) == (None, 1)
    assert marts.sent()[0]["key"] == {"k'": "a@x"}
    assert marts.sent()[0]["fields"] == {"a\"'b\\": "pro", "n": 1}


def test_a_name_that_the_marts_do_not_have_names_the_nearest(marts):
    marts.publish(users=TWO)
    marts.configure(
        model={"model": "usres", "key": {"email": "email"}},
        key={"model": "users", "key": {"email": "emial"}},
        audience={"audience": "spenders"},
    )

    model, key, audience = (marts.run(name).error for name in ("model", "key", "audience"))

    assert (model.fix, key.fix) == ("did you mean 'users'?", "did you mean 'email'?")
    assert "syncs.audience.audience: 'spenders' is not in the warehouse" in audience.message
    assert marts.sent() == []


def test_before_the_first_transform_it_says_to_run_one(marts):
    report = marts.run()

    assert isinstance(report.error, ConfigError)
    assert report.error.fix == "run `headwater transform` first"


def test_a_model_that_can_not_be_read_is_told_of(marts):
    marts.publish(users=TWO)
    broken = (
        f"create view `{marts.bigquery.mart('broken')}` as select cast(email as int64) as email"
    )
    marts.bigquery.query(f"{broken} from `{marts.bigquery.mart('users')}`")
    marts.configure(users={"model": "broken", "key": {"email": "email"}})

    report = marts.run()

    assert isinstance(report.error, LoaderError)
    assert report.error.message.startswith("sync users: ")
    assert (report.error.exit_code, marts.sent()) == (1, [])
