"""A dry run shows what would be sent and touches nothing."""

from decimal import Decimal

from loader.sync import Change
from tests.sync.place import users


def files(place):
    return {
        path.relative_to(place.workspace.root): path.read_bytes()
        for path in place.workspace.root.rglob("*")
        if path.is_file()
    }


def test_it_shows_every_changed_field_with_both_values(place):
    place.publish(users(("a@x", "free", 1.5), ("b@x", "pro", 2.5)))
    place.run()
    place.receiver.requests.clear()
    place.publish(users(("a@x", "pro", 1.5), ("b@x", "pro", 2.5), ("c@x", "Анна", 3.5)))

    report = place.run(dry_run=True)

    assert (report.added, report.changed, report.unchanged, report.delivered) == (1, 1, 1, 0)
    assert report.diff == [
        Change("changed", {"email": "a@x"}, {"plan": ("free", "pro")}),
        Change(
            "added", {"email": "c@x"}, {"orders": (None, Decimal("3.5")), "plan": (None, "Анна")}
        ),
    ]
    assert report.exit_code == 0
    assert place.sent() == []


def test_it_writes_nothing_before_the_first_run(place):
    place.publish(users(("a@x", "pro", 1)))
    before = files(place)

    report = place.run(dry_run=True)

    assert report.added == 1
    assert files(place) == before


def test_it_writes_nothing_between_runs(place):
    place.publish(users(("a@x", "pro", 1)))
    place.run()
    place.publish(users(("a@x", "free", 1)))
    before = files(place)

    place.run(dry_run=True)

    assert files(place) == before
    assert place.run().changed == 1


def test_it_shows_a_sample_in_key_order_and_counts_all(place):
    place.publish("create table users as select printf('%06d', i) as email from range(3000) t(i)")

    report = place.run(dry_run=True)

    assert report.added == 3000
    assert [change.key["email"] for change in report.diff] == [f"{n:06}" for n in range(20)]


def test_it_names_the_rows_that_can_not_be_sent(place):
    place.publish(users((None, "pro", 1), ("a@x", "pro", 1)))

    report = place.run(dry_run=True)

    assert (report.invalid, report.refusals[0].reason) == (1, "key field email is null")
    assert report.exit_code == 0


def test_it_needs_no_secret(place, monkeypatch):
    monkeypatch.delenv("HOOK_KEY", raising=False)
    place.configure(users={"model": "users", "key": {"email": "email"}}, hook_key="${HOOK_KEY}")
    place.publish(users(("a@x", "pro", 1)))

    assert place.run(dry_run=True).error is None
