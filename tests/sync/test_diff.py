"""What is sent, and what isn't."""

from tests.sync.place import users


def by_email(bodies):
    return {body["key"]["email"]: body for body in bodies}


def test_the_first_run_sends_every_row(place):
    place.publish(users(("c@x", "pro", 3), ("a@x", "free", 1), ("b@x", "pro", 2)))

    report = place.run()

    assert (report.added, report.changed, report.delivered) == (3, 0, 3)
    assert report.exit_code == 0
    assert by_email(place.sent())["a@x"] == {
        "sync": "users",
        "operation": "added",
        "message_id": by_email(place.sent())["a@x"]["message_id"],
        "key": {"email": "a@x"},
        "fields": {"orders": 1, "plan": "free"},
        "changed": ["orders", "plan"],
    }


def test_what_was_accepted_is_not_sent_again(place):
    place.publish(users(("a@x", "pro", 1), ("b@x", "pro", 2)))
    place.run()
    place.receiver.requests.clear()

    report = place.run()

    assert (report.added, report.changed, report.unchanged, report.delivered) == (0, 0, 2, 0)
    assert place.sent() == []


def test_a_changed_row_is_sent_whole_and_names_its_changed_fields(place):
    place.publish(users(("a@x", "free", 1), ("b@x", "pro", 2)))
    place.run()
    place.receiver.requests.clear()
    place.publish(users(("a@x", "pro", 1), ("b@x", "pro", 2)))

    report = place.run()

    assert (report.added, report.changed, report.unchanged) == (0, 1, 1)
    [body] = place.sent()
    assert (body["operation"], body["changed"]) == ("changed", ["plan"])
    assert body["fields"] == {"orders": 1, "plan": "pro"}


def test_a_row_that_returns_to_old_values_is_a_change_of_its_own(place):
    for plan in ("free", "pro", "free", "pro"):
        place.publish(users(("a@x", plan, 1)))
        assert place.run().delivered == 1

    assert len(set(place.receiver.keys())) == 4


def test_the_order_of_the_columns_does_not_matter(place):
    place.publish("create table users as select 'a@x' as email, 1 as orders, 'pro' as plan")
    place.run()
    place.publish("create table users as select 'pro' as plan, 1 as orders, 'a@x' as email")

    assert place.run().unchanged == 1


def test_fields_are_renamed_as_configured(place):
    mapping = {"key": {"external id": "email"}, "fields": {"Тариф": "plan", "a\"'b": "orders"}}
    place.configure(users={"model": "users", **mapping})
    place.publish(users(("a@x", "pro", 1)))

    place.run()

    [body] = place.sent()
    assert body["key"] == {"external id": "a@x"}
    assert body["fields"] == {"Тариф": "pro", "a\"'b": 1}


def test_a_key_of_several_columns_is_one_key(place):
    place.configure(users={"model": "users", "key": {"email": "email", "plan": "plan"}})
    place.publish(users(("a@x", "pro", 1), ("a@x", "free", 2)))

    report = place.run()

    assert (report.delivered, report.invalid) == (2, 0)


def test_an_empty_model_sends_nothing(place):
    place.publish("create table users (email varchar, plan varchar)")

    report = place.run()

    assert (report.added, report.delivered, report.exit_code) == (0, 0, 0)


def test_a_model_of_keys_alone_is_sent_once(place):
    place.publish("create table users as select 'a@x' as email")
    place.run()

    report = place.run()

    assert report.unchanged == 1
    assert place.sent()[0]["fields"] == {}


def test_a_view_of_the_marts_is_a_model_too(place):
    place.publish(
        users(("a@x", "pro", 1)),
        "create view warehouse.analytics.payers as select * from warehouse.analytics.users",
    )
    place.configure(users={"model": "payers", "key": {"email": "email"}})

    assert place.run().delivered == 1


def test_text_of_any_kind_arrives_as_it_is(place):
    nasty = ["'; drop table users; --", "😀 Анна", 'q"q', "line\nbreak", "", "null", "\u0001"]
    values = ", ".join(
        f"('{number}', '{text}')"
        for number, text in enumerate(text.replace("'", "''") for text in nasty)
    )
    place.publish(f"create table users as select * from (values {values}) as t (email, note)")

    place.run()

    notes = {email: body["fields"]["note"] for email, body in by_email(place.sent()).items()}
    assert [notes[str(number)] for number in range(len(nasty))] == nasty


def test_more_rows_than_are_held_in_memory_at_a_time_all_arrive(place):
    place.publish("create table users as select i::varchar as email, i from range(2500) t(i)")

    report = place.run()

    assert report.delivered == 2500
    assert len(set(place.receiver.keys())) == 2500
    assert place.run().unchanged == 2500
