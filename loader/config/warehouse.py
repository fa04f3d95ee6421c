"""The section `warehouse` of headwater.yml: DuckDB on this machine, or BigQuery."""

import re
from dataclasses import dataclass, fields
from typing import Literal

_DATASET = re.compile(r"[A-Za-z0-9_]{1,1024}")
_PROJECT = re.compile(r"[a-z][a-z0-9:.-]{1,61}[a-z0-9]")
_URL = re.compile(r"https?://[^/]+/?")


@dataclass(frozen=True, kw_only=True)
class WarehouseConfig:
    """Where the tables live; all keys but `type` are BigQuery's.

    Credentials are `keyfile` (a service account's), else what the environment offers (ADC), in
    either case as `impersonate`, if that is set. `maximum_bytes_billed` bounds each query.
    """

    type: Literal["duckdb", "bigquery"] = "duckdb"
    project: str | None = None
    location: str = "US"
    raw_dataset: str = "raw"
    dataset: str = "analytics"
    keyfile: str | None = None
    impersonate: str | None = None
    staging_bucket: str | None = None  # files go by Cloud Storage then, not straight up
    load_by: Literal["jobs", "storage_write"] = "jobs"
    require_partition_filter: bool = False
    maximum_bytes_billed: int | None = None
    base_url: str | None = None  # of the REST API, where it is not Google's
    storage_url: str | None = None  # of the Storage API (gRPC), likewise

    def __post_init__(self) -> None:
        if self.type == "duckdb":
            set_here = [f.name for f in fields(self) if getattr(self, f.name) != f.default]
            if set_here:
                raise ValueError(f"{set_here[0]}: only with `type: bigquery`")
            return
        if not self.project or not _PROJECT.fullmatch(self.project):
            raise ValueError(f"project: found {self.project!r}, wanted a Google Cloud project's id")
        for name in ("raw_dataset", "dataset"):
            if not _DATASET.fullmatch(getattr(self, name)):
                raise ValueError(f"{name}: a dataset's name has letters, digits and _ only")
        if self.raw_dataset == self.dataset:
            raise ValueError("raw_dataset and dataset: wanted two different ones")
        if self.maximum_bytes_billed is not None and self.maximum_bytes_billed < 1:
            raise ValueError("maximum_bytes_billed: wanted 1 or more, or no such line")
        for name in ("base_url", "storage_url"):
            url = getattr(self, name)
            if url is not None and not _URL.fullmatch(url):
                raise ValueError(f"{name}: wanted one like https://host, without a path")

    @property
    def is_bigquery(self) -> bool:
        """Whether raw tables and marts live in BigQuery."""
        return self.type == "bigquery"
