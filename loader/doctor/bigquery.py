"""What a workspace on BigQuery needs there: each thing is tried, and nothing is changed."""

from collections.abc import Iterator
from typing import Final

from google.api_core import exceptions
from google.cloud.bigquery import DEFAULT_RETRY

from loader.config import Workspace
from loader.doctor.check import Check
from loader.errors import LoaderError, Unavailable
from loader.warehouse.bigquery.client import STATE_DATASET, BigQuery, connect_bigquery, quote_name
from loader.warehouse.bigquery.datasets import location_differs
from loader.warehouse.bigquery.errors import REFUSALS, refused
from loader.warehouse.bigquery.reading import open_session

_RETRY: Final = DEFAULT_RETRY.with_timeout(10.0)  # a person waits
_ON_OBJECTS: Final = ("storage.objects.create", "storage.objects.get", "storage.objects.delete")


def examine_bigquery(workspace: Workspace) -> Iterator[Check]:
    """Jobs, datasets, the Storage Read API, the bucket: whether they work, else the role it takes.

    Without valid credentials nothing else is tried.
    """
    try:
        connection = connect_bigquery(workspace)
        connection.dry_run("select 1", where=f"project {workspace.config.warehouse.project}")
    except Unavailable as problem:
        yield Check.fail("bigquery", problem.message, "see that this machine gets through to it")
        return
    except LoaderError as problem:
        fix = f"{problem.fix}; to run jobs it takes roles/bigquery.jobUser on the project"
        yield Check.fail("bigquery", problem.message, fix)
        return
    config = connection.config
    yield Check.ok("bigquery", f"project {config.project}: credentials are valid, jobs may run")
    for name, use in (
        (config.raw_dataset, "`headwater load`"),
        (config.dataset, "`headwater transform`"),
        (STATE_DATASET, "`headwater sync`"),
    ):
        yield _dataset(connection, name, use)
    yield _storage_read(connection)
    if config.staging_bucket:
        yield _bucket(connection, config.staging_bucket)


def _dataset(connection: BigQuery, name: str, use: str) -> Check:
    """Whether it lies where it should, and a table could be made in it: by a dry run."""
    address = f"{connection.config.project}.{name}"
    label = f"dataset {name}"
    try:
        found = connection.client.get_dataset(address, retry=_RETRY)
    except exceptions.NotFound:
        fix = f"{use} creates it, with roles/bigquery.user on the project; or create it yourself"
        return Check.warn(label, f"{address} does not exist yet", f"{fix}, in the same location")
    except REFUSALS as problem:
        fix = "grant roles/bigquery.dataEditor on the dataset"
        return Check.fail(label, refused(address, problem).message, fix)
    if misplaced := location_differs(connection, found):
        fix = f"set warehouse.location to {found.location}, or name another dataset"
        return Check.fail(label, f"{address} {misplaced}", fix)
    trial = quote_name(f"{address}.headwater_doctor")
    try:
        connection.dry_run(f"create table {trial} (tried int64)", where=address)
    except LoaderError as problem:
        fix = (
            "grant roles/bigquery.dataEditor on the dataset (a dry run of CREATE TABLE was "
            "tried); roles/bigquery.dataViewer is enough to only read it"
        )
        return Check.fail(label, problem.message, fix)
    return Check.ok(label, f"{address} in {found.location}: tables may be made (by a dry run)")


def _storage_read(connection: BigQuery) -> Check:
    label = "storage read api"
    config = connection.config
    # No raw table: it may have to be told which partitions are asked for.
    table = _any_table(connection, (STATE_DATASET, config.dataset))
    if table is None:
        return Check.ok(label, "not tried: there is no mart to read yet")
    try:
        open_session(connection, table)
    except REFUSALS as problem:
        fix = (
            "enable bigquerystorage.googleapis.com and grant roles/bigquery.readSessionUser on "
            "the project; until then rows come by REST, which is slower"
        )
        return Check.warn(label, refused(table, problem).message, fix)
    return Check.ok(label, f"a session for {table} was opened")


def _any_table(connection: BigQuery, datasets: tuple[str, ...]) -> str | None:
    for name in datasets:
        try:
            tables = connection.client.list_tables(
                f"{connection.config.project}.{name}", retry=_RETRY
            )
            for table in tables:
                if table.table_type == "TABLE":
                    return str(table.reference)
        except REFUSALS:  # its own check has told of it
            continue
    return None


def _bucket(connection: BigQuery, staging_bucket: str) -> Check:
    """The bucket may be written as `gs://name`, and have a folder behind it."""
    name = staging_bucket.removeprefix("gs://").partition("/")[0]
    label = f"bucket {name}"
    fix = "create the bucket, or grant roles/storage.objectUser on it"
    try:
        held = connection.storage.bucket(name).test_iam_permissions(_ON_OBJECTS, timeout=10.0)
    except REFUSALS as problem:
        return Check.fail(label, refused(f"gs://{name}", problem).message, fix)
    if missing := sorted(set(_ON_OBJECTS) - set(held)):
        return Check.fail(label, f"gs://{name}: no permission {', '.join(missing)}", fix)
    return Check.ok(label, f"gs://{name}: objects may be written, read and deleted")
