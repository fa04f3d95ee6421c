"""Datasets: made where headwater.yml wants them, or found to lie there."""

from google.api_core import exceptions
from google.cloud import bigquery

from loader.errors import ConfigError
from loader.warehouse.bigquery.client import ASKED, BigQuery


def ensure_dataset(connection: BigQuery, name: str) -> None:
    """Create the dataset unless it is there; ConfigError if it lies in another location."""
    address = f"{connection.config.project}.{name}"
    where = f"dataset {address}"
    with connection.asking(where):
        try:
            found = connection.client.get_dataset(address, **ASKED)
        except exceptions.NotFound:
            wanted = bigquery.Dataset(address)
            wanted.location = connection.config.location
            found = connection.client.create_dataset(wanted, exists_ok=True, **ASKED)
    if misplaced := location_differs(connection, found):
        raise ConfigError(
            f"{where} {misplaced}",
            fix=f"set warehouse.location to {found.location}, or name another dataset",
        )


def location_differs(connection: BigQuery, found: bigquery.Dataset) -> str:
    """Where the dataset lies, if not where headwater.yml says; else ''."""
    wanted = connection.config.location
    if not found.location or found.location.upper() == wanted.upper():
        return ""
    return f"lies in {found.location}, warehouse.location is {wanted}"
