"""`headwater doctor` on BigQuery: what is missing, and which role mends it."""

import pytest
from google.cloud import bigquery

from loader.doctor import examine
from tests.bigquery.place import users
from tests.bigquery.standin import PROJECT
from tests.twin.receiver import Answer, serving


def checks(place):
    return {check.name: check for check in examine(place.workspace.root)}


def test_datasets_that_are_not_there_yet_are_no_failure(marts):
    found = checks(marts)

    assert found["bigquery"].state == "ok"
    missing = found[f"dataset {marts.dataset}"]
    assert missing.state == "warn"
    assert "roles/bigquery.user" in missing.fix


def test_all_is_well_after_a_sync_and_nothing_was_changed(marts):
    marts.publish(users=users(("a@x", "pro", 1)))
    marts.run()

    found = checks(marts)

    assert found[f"dataset {marts.dataset}"].state == "ok"
    assert found["dataset headwater"].state == "ok"
    assert found["storage read api"].state == "ok"
    tables = marts.bigquery.client.list_tables(marts.dataset)
    assert [table.table_id for table in tables] == ["users"]


def test_a_dataset_in_another_location_fails(marts):
    dataset = bigquery.Dataset(f"{PROJECT}.{marts.dataset}")
    dataset.location = "US"
    marts.bigquery.client.create_dataset(dataset)

    found = checks(marts)[f"dataset {marts.dataset}"]

    assert found.state == "fail"
    assert "lies in US, warehouse.location is EU" in found.found
    assert found.fix.startswith("set warehouse.location to US")


def test_a_storage_read_api_that_is_out_of_reach_is_a_warning(marts):
    marts.publish(users=users(("a@x", "pro", 1)))
    marts.configure(warehouse={"storage_url": "http://127.0.0.1:9"})

    found = checks(marts)["storage read api"]

    assert found.state == "warn"
    assert "roles/bigquery.readSessionUser" in found.fix


def test_without_permission_to_run_jobs_the_role_is_named(marts):
    denied = """{"error": {"code": 403, "message": "Access Denied: no bigquery.jobs.create",
        "errors": [{"reason": "accessDenied", "message": "no bigquery.jobs.create"}]}}"""
    with serving() as google:
        google.answer = lambda _: Answer(403, denied, {"Content-Type": "application/json"})
        marts.configure(warehouse={"base_url": google.url.removesuffix("/hook")})

        found = checks(marts)

    assert found["bigquery"].state == "fail"
    assert "no bigquery.jobs.create" in found["bigquery"].found
    assert "roles/bigquery.jobUser" in found["bigquery"].fix
    assert not [name for name in found if name.startswith("dataset")]


@pytest.mark.parametrize(
    ("held", "state"),
    [
        ('["storage.objects.create", "storage.objects.get", "storage.objects.delete"]', "ok"),
        ('["storage.objects.get"]', "fail"),
    ],
)
def test_a_bucket_that_may_not_be_written_names_the_role(marts, monkeypatch, held, state):
    with serving() as google:
        answer = Answer(200, f'{{"permissions": {held}}}', {"Content-Type": "application/json"})
        google.answer = lambda _: answer
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", google.url.removesuffix("/hook"))
        marts.configure(warehouse={"staging_bucket": "gs://staging/headwater"})

        found = checks(marts)["bucket staging"]

    assert found.state == state
    assert ("roles/storage.objectUser" in found.fix) == (state == "fail")
