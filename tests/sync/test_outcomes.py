"""What becomes of a row that did not arrive."""

import pytest

from loader.errors import AccessDenied
from loader.sync import Refusal
from tests.sync.place import users
from tests.twin.receiver import Answer

THREE = users(("a@x", "pro", 1), ("b@x", "pro", 2), ("c@x", "pro", 3))


def refuse(email, answer):
    """An answer for this one row; everybody else is welcome."""
    return lambda request: answer if request.json["key"]["email"] == email else Answer()


def test_a_rejected_row_leaves_its_neighbours_alone(place):
    place.publish(THREE)
    place.receiver.answer = refuse("b@x", Answer(422, "no such plan"))

    report = place.run()

    assert (report.delivered, report.rejected, report.retry) == (2, 1, 0)
    assert report.refusals == [Refusal({"email": "b@x"}, "rejected", "no such plan", 422)]
    assert report.exit_code == 3


def test_a_rejected_row_is_offered_again_as_the_same_change(place):
    place.publish(THREE)
    place.receiver.answer = refuse("b@x", Answer(422))
    place.run()
    [rejected] = [each for each in place.sent() if each["key"]["email"] == "b@x"]
    place.receiver.requests.clear()
    place.receiver.answer = lambda _request: Answer()

    report = place.run()

    assert (report.added, report.unchanged, report.delivered) == (1, 2, 1)
    assert place.sent() == [rejected]
    assert place.run().unchanged == 3


def test_the_same_rejection_again_is_nothing_new(place):
    place.publish(THREE)
    place.receiver.answer = refuse("b@x", Answer(422))
    place.run()

    report = place.run()

    assert (report.rejected, report.newly_refused, report.exit_code) == (1, 0, 0)


def test_a_rejection_of_new_values_is_new(place):
    place.publish(THREE)
    place.receiver.answer = refuse("b@x", Answer(422))
    place.run()
    place.publish(users(("a@x", "pro", 1), ("b@x", "free", 2), ("c@x", "pro", 3)))

    assert place.run().exit_code == 3


def test_a_row_that_could_not_be_delivered_is_sent_by_the_next_run(place):
    place.publish(THREE)
    place.receiver.answer = refuse("b@x", Answer(500, "oops"))

    report = place.run()

    assert (report.delivered, report.rejected, report.retry) == (2, 0, 1)
    assert report.refusals[0].outcome == "retry"
    assert report.exit_code == 1
    place.receiver.answer = lambda _request: Answer()
    assert place.run().delivered == 1


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_stop_the_sync_and_keep_what_was_accepted(place, status):
    place.publish("create table users as select i::varchar as email from range(2000) t(i)")
    place.receiver.answer = refuse("1500", Answer(status, "expired"))

    report = place.run()

    assert isinstance(report.error, AccessDenied)
    assert report.exit_code == 1
    assert 0 < report.delivered < 2000
    assert report.delivered + report.retry == 2000
    place.receiver.answer = lambda _request: Answer()
    assert place.run().delivered == 2000 - report.delivered


def test_rows_without_a_key_are_never_sent(place):
    place.publish(users((None, "pro", 1), ("a@x", "pro", 2), (None, "free", 3)))

    report = place.run()

    assert (report.delivered, report.invalid, report.exit_code) == (1, 2, 3)
    assert report.refusals == [Refusal({"email": None}, "invalid", "key field email is null")] * 2
    assert [body["key"] for body in place.sent()] == [{"email": "a@x"}]


def test_none_of_the_rows_that_share_a_key_is_sent(place):
    place.publish(users(("a@x", "pro", 1), ("a@x", "free", 2), ("b@x", "pro", 3)))

    report = place.run()

    assert (report.added, report.delivered, report.invalid) == (1, 1, 2)
    assert report.refusals[0] == Refusal(
        {"email": "a@x"}, "invalid", "2 rows have this key, wanted one"
    )


def test_invalid_rows_that_stay_as_they_are_are_nothing_new(place):
    place.publish(users((None, "pro", 1), ("a@x", "pro", 1), ("a@x", "pro", 2)))
    place.run()

    report = place.run()

    assert (report.invalid, report.newly_refused, report.exit_code) == (3, 0, 0)


def test_a_key_that_became_double_keeps_what_was_accepted(place):
    place.publish(users(("a@x", "pro", 1)))
    place.run()
    place.publish(users(("a@x", "pro", 1), ("a@x", "free", 1)))
    place.run()
    place.publish(users(("a@x", "pro", 1)))

    report = place.run()

    assert (report.unchanged, report.delivered) == (1, 0)


def test_every_row_has_its_outcome_in_the_state_file(place):
    place.publish(users(("a@x", "pro", 1), ("b@x", "pro", 2), ("c@x", "pro", 3), (None, "pro", 4)))
    place.receiver.answer = lambda request: {
        "b@x": Answer(422, "bad"),
        "c@x": Answer(503),
    }.get(request.json["key"]["email"], Answer())

    place.run()

    assert place.state(
        "select key, operation, outcome, status, reason from state.outcomes order by key"
    ) == [
        ('{"email":"a@x"}', "added", "delivered", None, None),
        ('{"email":"b@x"}', "added", "rejected", 422, "bad"),
        ('{"email":"c@x"}', "added", "retry", None, "destination hook: 503 (5 attempts)"),
        ('{"email":null}', None, "invalid", None, "key field email is null"),
    ]
    assert place.state(
        "select added, changed, unchanged, invalid, delivered, rejected, retry, error, "
        "finished_at >= started_at from state.runs"
    ) == [(3, 0, 0, 1, 1, 1, 1, None, True)]


def test_a_secret_that_a_rejection_repeats_is_recorded_nowhere(place, monkeypatch):
    monkeypatch.setenv("HOOK_KEY", "s3cr3t")
    place.publish(THREE)
    place.configure(users={"model": "users", "key": {"email": "email"}}, hook_key="${HOOK_KEY}")
    place.receiver.answer = lambda request: Answer(400, f"bad key {request.headers['X-Key']}")

    report = place.run()

    assert report.refusals[0].reason == "bad key ***"
    stored = (place.workspace.state / "users.duckdb").read_bytes()
    assert b"s3cr3t" not in stored
