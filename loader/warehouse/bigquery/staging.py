"""Staging: files go to Cloud Storage, BigQuery loads them from there, and they are removed."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from google.api_core import exceptions
from google.cloud.storage import Blob
from google.cloud.storage.exceptions import DataCorruption

from loader.errors import AccessDenied, ConfigError, LoaderError, Unavailable
from loader.warehouse.bigquery.client import BigQuery
from loader.warehouse.bigquery.errors import REFUSALS, refused

_SCHEME: Final = "gs://"
_CALL_SECONDS: Final = 120.0


def stage(bigquery: BigQuery, bucket: str, name: str, file: Path) -> str:
    """The address `gs://…/name` at which `file` lies now, in place of what was there.

    `bucket` is warehouse.staging_bucket: `my-bucket`, `gs://my-bucket`, or either with a folder
    behind it. Raises ConfigError for a bucket that isn't there, AccessDenied and Unavailable.
    """
    folder = bucket.removeprefix(_SCHEME).strip("/")
    uri = f"{_SCHEME}{folder}/{name}"
    try:
        _blob(bigquery, uri).upload_from_filename(
            str(file), content_type="application/octet-stream", timeout=_CALL_SECONDS
        )
    except DataCorruption as problem:
        raise Unavailable(f"{uri}: {problem}", fix="repeat the command") from problem
    except REFUSALS as problem:
        raise _not_staged(uri, problem, "storage.objects.create") from problem
    return uri


def unstage(bigquery: BigQuery, uris: Iterable[str]) -> None:
    """Remove what `stage` put there; what isn't there any more is no error."""
    for uri in uris:
        try:
            _blob(bigquery, uri).delete(timeout=_CALL_SECONDS)
        except exceptions.NotFound:
            continue
        except REFUSALS as problem:
            raise _not_staged(uri, problem, "storage.objects.delete") from problem


def _blob(bigquery: BigQuery, uri: str) -> Blob:
    bucket, _, name = uri.removeprefix(_SCHEME).partition("/")
    return bigquery.storage.bucket(bucket).blob(name)


def _not_staged(uri: str, problem: BaseException, permission: str) -> LoaderError:
    """`refused`, but for what a person does differently here."""
    bucket = uri.removeprefix(_SCHEME).partition("/")[0]
    where = f"warehouse.staging_bucket: {uri}"
    if isinstance(problem, exceptions.NotFound):
        return ConfigError(
            f"{where}: there is no bucket {bucket}",
            fix=f"create it where the datasets are: `gcloud storage buckets create gs://{bucket} "
            "--location=…`, or leave `staging_bucket` out",
        )
    told = refused(where, problem)
    if isinstance(told, AccessDenied) and isinstance(problem, exceptions.Forbidden):
        told.fix = f"grant {permission}, which is in roles/storage.objectUser, on gs://{bucket}"
    return told
