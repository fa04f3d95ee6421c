"""The connection to BigQuery: credentials, names, and queries whose cost is bounded."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import google.auth
import grpc
from google.auth import impersonated_credentials
from google.auth.credentials import AnonymousCredentials, Credentials
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_JOB_RETRY
from google.oauth2 import service_account

from loader.config import WarehouseConfig, Workspace
from loader.errors import ConfigError
from loader.warehouse.bigquery.errors import REFUSALS, refused

if TYPE_CHECKING:
    from google.cloud import storage
    from google.cloud.bigquery_storage_v1 import BigQueryReadClient, BigQueryWriteClient

STATE_DATASET: Final = "headwater"  # what we keep there for ourselves
_SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
_STORAGE_OPTIONS: Final = (("grpc.max_receive_message_length", -1),)
_NO_LABEL: Final = re.compile(r"[^a-z0-9_-]")  # what no label's value may have
_BRIEFLY: Final = bigquery.DEFAULT_RETRY.with_timeout(10.0)  # a person waits
# Where nobody answers, Google's client would go on for ten minutes, and twenty with a query.
PATIENTLY: Final = bigquery.DEFAULT_RETRY.with_timeout(60.0)
ANSWER_SECONDS: Final = 60.0
ASKED: Final[Any] = {"retry": PATIENTLY, "timeout": ANSWER_SECONDS}  # of a short request
_JOB_PATIENTLY: Final = DEFAULT_JOB_RETRY.with_timeout(60.0)


@dataclass
class Usage:
    """The bytes that queries have read and are billed for."""

    processed: int = 0
    billed: int = 0
    _adding: Lock = field(default_factory=Lock, repr=False)

    def add(self, job: bigquery.QueryJob) -> None:
        """Count a job that is done; several threads may."""
        with self._adding:
            self.processed += job.total_bytes_processed or 0
            self.billed += job.total_bytes_billed or 0


@dataclass(frozen=True)
class BigQuery:
    """A project of BigQuery as headwater.yml describes it; nothing is asked of it yet."""

    config: WarehouseConfig
    credentials: Credentials
    usage: Usage = field(default_factory=Usage)  # of the queries so far

    @cached_property
    def client(self) -> bigquery.Client:
        """The REST client."""
        options = {"api_endpoint": self.config.base_url} if self.config.base_url else None
        return bigquery.Client(
            project=self.config.project,
            credentials=self.credentials,
            location=self.config.location,
            client_options=options,
        )

    @cached_property
    def reader(self) -> "BigQueryReadClient":
        """The Storage Read API's client."""
        from google.cloud.bigquery_storage_v1 import BigQueryReadClient  # noqa: PLC0415 - slow
        from google.cloud.bigquery_storage_v1.services.big_query_read.transports import (  # noqa: PLC0415
            BigQueryReadGrpcTransport,
        )

        if self.config.storage_url is None:
            return BigQueryReadClient(credentials=self.credentials)
        return BigQueryReadClient(transport=BigQueryReadGrpcTransport(channel=self._channel()))

    @cached_property
    def writer(self) -> "BigQueryWriteClient":
        """The Storage Write API's client."""
        from google.cloud.bigquery_storage_v1 import BigQueryWriteClient  # noqa: PLC0415 - slow
        from google.cloud.bigquery_storage_v1.services.big_query_write.transports import (  # noqa: PLC0415
            BigQueryWriteGrpcTransport,
        )

        if self.config.storage_url is None:
            return BigQueryWriteClient(credentials=self.credentials)
        return BigQueryWriteClient(transport=BigQueryWriteGrpcTransport(channel=self._channel()))

    @cached_property
    def storage(self) -> "storage.Client":
        """Cloud Storage's client, for staging."""
        from google.cloud import storage  # noqa: PLC0415 - slow, and seldom wanted

        return storage.Client(project=self.config.project, credentials=self.credentials)

    def _channel(self) -> grpc.Channel:
        scheme, _, host = str(self.config.storage_url).rstrip("/").partition("://")
        if scheme == "http":
            return grpc.insecure_channel(host, options=_STORAGE_OPTIONS)
        return grpc.secure_channel(host, grpc.ssl_channel_credentials(), options=_STORAGE_OPTIONS)

    def raw(self, table: str) -> str:
        """The raw table as the client's methods take it."""
        return f"{self.config.project}.{self.config.raw_dataset}.{table}"

    def mart(self, table: str) -> str:
        """The table that dbt built as the client's methods take it."""
        return f"{self.config.project}.{self.config.dataset}.{table}"

    def state(self, table: str) -> str:
        """A table of our own, likewise."""
        return f"{self.config.project}.{STATE_DATASET}.{table}"

    def query(
        self,
        sql: str,
        parameters: Sequence[Any] = (),
        *,
        where: str = "query",
        finds_marts: bool = False,
    ) -> bigquery.QueryJob:
        """The finished job of `sql`; errors as `refused` gives.

        With `finds_marts` tables without a dataset are marts, whose dataset has to be there then.
        """
        options = self._options(
            finds_marts=finds_marts,
            maximum_bytes_billed=self.config.maximum_bytes_billed,
            query_parameters=list(parameters),
            labels={"headwater": _NO_LABEL.sub("", where.split(maxsplit=1)[0].lower())[:63]},
        )
        with self.asking(where):
            job = self.client.query(
                sql,
                job_config=options,
                retry=PATIENTLY,
                job_retry=_JOB_PATIENTLY,
                timeout=ANSWER_SECONDS,
            )
            job.result()
        self.usage.add(job)
        return job

    def value(self, sql: str, *, where: str) -> Any:
        """The only value that `sql` gives; errors as `query`."""
        job = self.query(sql, where=where)
        with self.asking(where):
            [[found]] = job.result()
        return found

    def dry_run(
        self, sql: str, *, where: str = "query", finds_marts: bool = False
    ) -> bigquery.QueryJob:
        """What the job of `sql` would be (statement_type, schema, bytes): free, nothing is run."""
        with self.asking(where):
            return self.client.query(
                sql,
                job_config=self._options(finds_marts=finds_marts, dry_run=True),
                retry=_BRIEFLY,
                job_retry=None,
                timeout=_BRIEFLY.timeout,
            )

    @contextmanager
    def asking(self, where: str) -> Iterator[None]:
        """Gives what BigQuery refuses within the block as an error of ours; see `refused`."""
        try:
            yield
        except REFUSALS as problem:
            raise refused(where, problem, location=self.config.location) from problem

    def _options(self, *, finds_marts: bool, **options: Any) -> bigquery.QueryJobConfig:
        if finds_marts:
            options["default_dataset"] = f"{self.config.project}.{self.config.dataset}"
        return bigquery.QueryJobConfig(**options)


def connect_bigquery(workspace: Workspace) -> BigQuery:
    """The BigQuery of `workspace`; AccessDenied without credentials, ConfigError for a bad key."""
    config = workspace.config.warehouse
    try:
        return BigQuery(config, _credentials(workspace, config))
    except REFUSALS as problem:
        raise refused("headwater.yml: warehouse", problem) from problem


def quote_name(name: str) -> str:
    """`project.dataset.table`, or a column's name, as BigQuery's SQL may hold it."""
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def quote_text(value: str) -> str:
    """`value` as a string literal of BigQuery's SQL."""
    escapes = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r"})
    return f"'{value.translate(escapes)}'"


def _credentials(workspace: Workspace, config: WarehouseConfig) -> Credentials:
    if config.base_url and config.base_url.startswith("http://"):
        return AnonymousCredentials()  # a stand-in: a token must never go out in plain text
    found: Credentials
    if config.keyfile:
        path = workspace.root / config.keyfile
        try:
            found = service_account.Credentials.from_service_account_file(path, scopes=_SCOPES)
        except (OSError, ValueError) as problem:
            raise ConfigError(
                f"headwater.yml: warehouse.keyfile: {path}: {problem}",
                fix="name the JSON key of a service account, or leave `keyfile` out to use ADC",
            ) from problem
    else:
        found, _ = google.auth.default(scopes=_SCOPES)
    if config.impersonate:
        found = impersonated_credentials.Credentials(
            source_credentials=found,
            target_principal=config.impersonate,
            target_scopes=list(_SCOPES),
        )
    return found
