"""What a person has to mend is said before anything is sent."""

import duckdb
import pytest

from loader.errors import ConfigError, LoaderError, StorageError
from loader.sync import run_syncs
from tests.sync.place import users

ONE = users(("a@x", "pro", 1))


def test_an_unknown_sync_names_the_nearest(place):
    with pytest.raises(ConfigError, match="'user'") as caught:
        run_syncs(place.workspace, ["user"])

    assert caught.value.fix == "did you mean 'users'?"


@pytest.mark.parametrize(
    ("sync", "where", "fix"),
    [
        ({"model": "usres", "key": {"email": "email"}}, "model", "did you mean 'users'?"),
        ({"model": "users", "key": {"email": "emial"}}, "key.email", "did you mean 'email'?"),
        (
            {"model": "users", "key": {"email": "email"}, "fields": {"tariff": "plam"}},
            "fields.tariff",
            "did you mean 'plan'?",
        ),
        (
            {"model": "users; drop table users", "key": {"email": "email"}},
            "model",
            "known: users",
        ),
    ],
)
def test_a_name_that_the_marts_do_not_have_names_the_nearest(place, sync, where, fix):
    place.configure(users=sync)
    place.publish(ONE)

    report = place.run()

    assert isinstance(report.error, ConfigError)
    assert f"headwater.yml: syncs.users.{where}: " in report.error.message
    assert report.error.fix == fix
    assert report.exit_code == 2
    assert place.sent() == []


def test_before_the_first_transform_it_says_to_run_one(place):
    without_file = place.run()
    with duckdb.connect(place.workspace.warehouse) as connection:
        connection.execute("create schema raw")
    without_marts = place.run()

    for report in (without_file, without_marts):
        assert isinstance(report.error, ConfigError)
        assert report.error.fix == "run `headwater transform` first"


def test_a_name_that_can_not_be_a_file_is_refused(place):
    place.configure(**{"../../users": {"model": "users", "key": {"email": "email"}}})

    with pytest.raises(ConfigError, match="can't be the name of a file"):
        run_syncs(place.workspace)


def test_a_wrong_destination_setting_stops_before_anything_runs(place):
    config = place.workspace.root / "headwater.yml"
    config.write_text(config.read_text().replace("base_url", "base_ulr"))

    with pytest.raises(ConfigError, match=r"destinations\.hook\.base_ulr"):
        run_syncs(type(place.workspace)(place.workspace.root))


def test_a_secret_that_is_not_set_sends_nothing_and_is_named(place, monkeypatch):
    monkeypatch.delenv("HOOK_KEY", raising=False)
    place.configure(users={"model": "users", "key": {"email": "email"}}, hook_key="${HOOK_KEY}")
    place.publish(ONE)

    report = place.run()

    assert isinstance(report.error, ConfigError)
    assert "HOOK_KEY" in report.error.message
    assert (report.exit_code, report.retry) == (2, 1)


def test_one_sync_that_fails_does_not_stop_the_next(place):
    place.configure(
        bad={"model": "nothing", "key": {"email": "email"}},
        users={"model": "users", "key": {"email": "email"}},
    )
    place.publish(ONE)

    bad, good = run_syncs(place.workspace)

    assert isinstance(bad.error, ConfigError)
    assert (good.error, good.delivered) == (None, 1)


def test_only_the_named_syncs_run(place):
    sync = {"model": "users", "key": {"email": "email"}}
    place.configure(first=dict(sync), second=dict(sync), third=dict(sync))
    place.publish(ONE)

    reports = run_syncs(place.workspace, ["third", "first"])

    assert [report.name for report in reports] == ["first", "third"]


def test_a_model_that_can_not_be_read_is_told_of(place):
    place.publish(ONE, "create view broken as select cast(email as integer) as email from users")
    place.configure(users={"model": "broken", "key": {"email": "email"}})

    report = place.run()

    assert type(report.error) is LoaderError
    assert report.error.fix == "check the model that it reads"


def test_a_damaged_state_file_is_told_of(place):
    place.publish(ONE)
    place.workspace.state.mkdir()
    (place.workspace.state / "users.duckdb").write_text("not a database")

    report = place.run()

    assert isinstance(report.error, StorageError)
    assert "users.duckdb" in report.error.message
    assert place.sent() == []
