"""Staging through Cloud Storage: the real client, against a stand-in of the JSON API."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.cloud.bigquery import LoadJobConfig, SchemaField, SourceFormat, Table

from loader.errors import AccessDenied, ConfigError
from loader.warehouse.bigquery.client import connect_bigquery
from loader.warehouse.bigquery.staging import stage, unstage
from tests.bigquery.storage import CloudStorage


@pytest.fixture
def cloud_storage(emulator, monkeypatch):
    """Its buckets are those that the emulator loads from."""
    with CloudStorage(emulator.buckets) as storage:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage.url)
        yield storage


@pytest.fixture
def bigquery(bigquery_workspace):
    return connect_bigquery(bigquery_workspace)


@pytest.mark.parametrize(
    ("setting", "uri"),
    [
        ("staged-1", "gs://staged-1/loads/7/orders.parquet"),
        ("gs://staged-1", "gs://staged-1/loads/7/orders.parquet"),
        ("gs://staged-1/", "gs://staged-1/loads/7/orders.parquet"),
        ("gs://staged-1/a/b", "gs://staged-1/a/b/loads/7/orders.parquet"),
        ("staged-1/a/", "gs://staged-1/a/loads/7/orders.parquet"),
    ],
)
@pytest.mark.parametrize("size", [0, 5, 20_000_000])
def test_a_file_goes_to_the_bucket_as_it_is(bigquery, cloud_storage, tmp_path, setting, uri, size):
    bucket = cloud_storage.make_bucket("staged-1")
    file = tmp_path / "orders.parquet"
    file.write_bytes((bytes(range(256)) * (size // 256 + 1))[:size])

    found = stage(bigquery, setting, "loads/7/orders.parquet", file)

    there = bucket / uri.removeprefix("gs://staged-1/")
    assert (found, there.read_bytes()) == (uri, file.read_bytes())


def test_staging_twice_leaves_what_came_last(bigquery, cloud_storage, tmp_path):
    bucket = cloud_storage.make_bucket("staged-2")
    file = tmp_path / "orders.parquet"

    for content in (b"first, and longer", b"second"):
        file.write_bytes(content)
        stage(bigquery, "staged-2", "a.parquet", file)

    assert (bucket / "a.parquet").read_bytes() == b"second"


def test_what_was_staged_is_removed_once_and_a_second_time_without_complaint(
    bigquery, cloud_storage, tmp_path
):
    bucket = cloud_storage.make_bucket("staged-3")
    file = tmp_path / "orders.parquet"
    file.write_bytes(b"rows")
    uris = [stage(bigquery, "staged-3/a b", f"{n} %.parquet", file) for n in range(2)]

    unstage(bigquery, uris)
    unstage(bigquery, uris)

    assert [path for path in bucket.rglob("*") if path.is_file()] == []


def test_bigquery_loads_what_was_staged(bigquery, cloud_storage, tmp_path):
    cloud_storage.make_bucket("staged-4")
    file = tmp_path / "orders.parquet"
    pq.write_table(pa.table({"id": ["a", "b"]}), file)
    bigquery.client.create_dataset(bigquery.config.raw_dataset)
    schema = [SchemaField("id", "STRING")]
    bigquery.client.create_table(Table(bigquery.raw("orders"), schema=schema))

    uri = stage(bigquery, "staged-4", "orders.parquet", file)
    options = LoadJobConfig(source_format=SourceFormat.PARQUET, write_disposition="WRITE_APPEND")
    bigquery.client.load_table_from_uri(uri, bigquery.raw("orders"), job_config=options).result()

    rows = bigquery.query(f"select id from `{bigquery.raw('orders')}` order by id").result()
    assert [row.id for row in rows] == ["a", "b"]


def test_a_bucket_that_is_not_there_is_named(bigquery, cloud_storage, tmp_path):
    file = tmp_path / "orders.parquet"
    file.write_bytes(b"rows")

    with pytest.raises(ConfigError, match="there is no bucket nowhere-1") as caught:
        stage(bigquery, "gs://nowhere-1", "a.parquet", file)

    assert "gcloud storage buckets create gs://nowhere-1" in caught.value.fix


def test_a_permission_that_is_missing_is_named_with_its_role(bigquery, cloud_storage, tmp_path):
    cloud_storage.make_bucket("denied-1")
    cloud_storage.denied.add("denied-1")
    file = tmp_path / "orders.parquet"
    file.write_bytes(b"rows")

    with pytest.raises(AccessDenied, match=r"does not have storage\.objects\.create") as up:
        stage(bigquery, "denied-1", "a.parquet", file)
    with pytest.raises(AccessDenied, match=r"does not have storage\.objects\.delete") as down:
        unstage(bigquery, ["gs://denied-1/a.parquet"])

    assert "roles/storage.objectUser, on gs://denied-1" in up.value.fix
    assert "storage.objects.delete" in down.value.fix
