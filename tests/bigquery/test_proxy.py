"""The proxy does to the real client what its name for a fault says."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.api_core import exceptions
from google.cloud.bigquery import LoadJobConfig, SchemaField, SourceFormat, Table
from requests import exceptions as requests_exceptions

from loader.warehouse.bigquery.client import BigQuery, connect_bigquery
from loader.warehouse.bigquery.errors import is_transient, reason_of
from tests.bigquery.proxy import (
    ACCESS_DENIED,
    BACKEND,
    CHUNK,
    JOB,
    LOAD,
    NO_DATASET,
    QUOTA,
    RATE_LIMIT,
    UNAVAILABLE,
    Break,
    Proxy,
)


@pytest.fixture
def proxy(emulator):
    with Proxy(emulator.url).running() as proxy:
        yield proxy


@pytest.fixture
def bigquery(bigquery_workspace, proxy):
    """Of an own dataset, and by way of the proxy."""
    plain = connect_bigquery(bigquery_workspace)
    config = replace(plain.config, base_url=proxy.url)
    return BigQuery(config, plain.credentials)


def list_tables(bigquery):
    return [t.table_id for t in bigquery.client.list_tables("raw", retry=None)]


def load_rows(bigquery, file, job_id):
    options = LoadJobConfig(source_format=SourceFormat.PARQUET, write_disposition="WRITE_APPEND")
    with file.open("rb") as data:
        job = bigquery.client.load_table_from_file(
            data,
            bigquery.raw("orders"),
            job_id=job_id,
            job_config=options,
            num_retries=0,
        )
    return job.result(retry=None)


@pytest.fixture
def orders(bigquery, tmp_path):
    """A table, and a file of two rows for it."""
    bigquery.client.create_dataset(bigquery.config.raw_dataset)
    schema = [SchemaField("id", "STRING")]
    bigquery.client.create_table(Table(bigquery.raw("orders"), schema=schema))
    file = tmp_path / "orders.parquet"
    pq.write_table(pa.table({"id": ["a", "b"]}), file)
    return file


def count_rows(bigquery):
    job = bigquery.query(f"select count(*) from `{bigquery.raw('orders')}`")
    return next(iter(job.result()))[0]


@pytest.mark.parametrize(
    ("fault", "kind", "passes"),
    [
        (QUOTA, exceptions.Forbidden, True),
        (RATE_LIMIT, exceptions.Forbidden, True),
        (ACCESS_DENIED, exceptions.Forbidden, False),
        (NO_DATASET, exceptions.NotFound, False),
        (UNAVAILABLE, exceptions.ServiceUnavailable, True),
        (BACKEND, exceptions.InternalServerError, True),
    ],
)
def test_a_refusal_reaches_the_client_as_bigquery_would_tell_it(
    bigquery, proxy, fault, kind, passes
):
    proxy.fail("GET .*/tables", fault)

    with pytest.raises(kind, match=fault.message) as caught:
        list_tables(bigquery)

    assert (reason_of(caught.value), is_transient(caught.value)) == (fault.reason, passes)


def test_a_cut_connection_is_cut_before_anything_is_done(bigquery, proxy, orders):
    proxy.fail(CHUNK, Break.CUT)

    with pytest.raises(requests_exceptions.ConnectionError) as caught:
        load_rows(bigquery, orders, "cut")

    assert (is_transient(caught.value), count_rows(bigquery)) == (True, 0)


def test_a_lost_answer_is_of_work_that_was_done(bigquery, proxy, orders):
    proxy.fail(CHUNK, Break.LOSE_ANSWER)

    with pytest.raises(requests_exceptions.ConnectionError):
        load_rows(bigquery, orders, "lost")
    with pytest.raises(exceptions.Conflict):
        load_rows(bigquery, orders, "lost")

    assert count_rows(bigquery) == 2


def test_faults_end_after_their_number_and_all_requests_are_counted(bigquery, proxy, orders):
    proxy.fail("GET .*/datasets/raw_", BACKEND, times=2)
    table = bigquery.raw("orders")

    for _ in range(2):
        with pytest.raises(exceptions.InternalServerError):
            bigquery.client.get_table(table, retry=None)
    found = bigquery.client.get_table(table, retry=None)

    assert (found.table_id, proxy.count("GET .*/tables/orders")) == ("orders", 3)


def test_a_fault_without_a_number_lasts_until_it_is_healed(bigquery, proxy, orders):
    proxy.fail(JOB, QUOTA, times=None)
    for attempt in range(3):
        with pytest.raises(exceptions.Forbidden):
            load_rows(bigquery, orders, f"quota-{attempt}")

    proxy.heal()
    load_rows(bigquery, orders, "quota-3")

    assert (count_rows(bigquery), proxy.count(LOAD)) == (2, 4)


def test_a_large_file_goes_through_in_chunks(bigquery, proxy, orders):
    rows = pa.table({"id": [f"{n}" for n in range(1_500_000)]})
    pq.write_table(rows, orders, compression="none", use_dictionary=False)

    load_rows(bigquery, orders, "large")

    assert orders.stat().st_size > 10_000_000
    assert (count_rows(bigquery), proxy.count(CHUNK)) == (1_500_000, 1)
