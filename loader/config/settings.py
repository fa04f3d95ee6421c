"""The keys of headwater.yml: one frozen dataclass a section, defaults here and nowhere else."""

import dataclasses
import ipaddress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import yaml

from loader.config.contracts import ContractsConfig, SourceContractsConfig
from loader.config.identity import IdentityConfig
from loader.config.pipeline import EnrichmentConfig, PrivacyConfig, TransformationConfig
from loader.config.secrets import Secret, load_yaml
from loader.config.strict import build, unknown_key
from loader.config.warehouse import WarehouseConfig
from loader.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class OAuthConfig:
    """Who may fetch a token for a source: the holder of the private key to `public_key` (PEM)."""

    client_id: Secret
    public_key: Secret


@dataclass(frozen=True, kw_only=True)
class SourceConfig:
    """One source of events; its write key is what its SDK sends.

    `requests_per_second` is what the collector takes of this source, all workers together;
    `contracts` is what it has of its own in place of the workspace's.
    """

    write_key: Secret | None = None
    oauth: OAuthConfig | None = None
    requests_per_second: int | None = None
    contracts: SourceContractsConfig = field(default_factory=SourceContractsConfig)

    def __post_init__(self) -> None:
        if self.requests_per_second is not None and self.requests_per_second < 1:
            raise ValueError("requests_per_second: wanted 1 or more, or no such line")


@dataclass(frozen=True, kw_only=True)
class DestinationConfig:
    """One destination: its type, and settings that `destinations` checks against that type."""

    type: str
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SyncConfig:
    """One reverse-ETL sync: rows of a model, or the members of an audience, to a destination.

    `key` and `fields` map the destination's field to the model's column; without `fields` every
    column goes out under its own name.
    """

    destination: str
    model: str | None = None
    audience: str | None = None
    object: str = "row"
    mode: Literal["upsert"] = "upsert"
    key: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.model is None) == (self.audience is None):
            raise ValueError("name either `model` or `audience`")
        if self.model is not None and not self.key:
            raise ValueError("a sync of a model needs `key`, as in key: {email: email}")


@dataclass(frozen=True, kw_only=True)
class CollectorConfig:
    """How `headwater collect` serves, and how it spools what it takes."""

    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    public_url: str | None = None  # as browsers see it; without it, by the request's Host
    trusted_proxies: tuple[str, ...] = ()  # addresses or networks whose X-Forwarded-* is believed
    analytics_js: str | None = None  # the folder of an installed @segment/analytics-next
    seal_after: timedelta = timedelta(seconds=10)
    segment_megabytes: int = 64
    spool_megabytes: int = 10_240  # beyond it, SDKs are told to wait

    def __post_init__(self) -> None:
        for name in ("workers", "segment_megabytes", "spool_megabytes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: wanted 1 or more")
        if not 0 <= self.port <= 65_535:
            raise ValueError("port: wanted 0 (any free one) to 65535")
        if self.public_url and not self.public_url.startswith(("https://", "http://")):
            raise ValueError("public_url: wanted one that begins with https:// or http://")
        if self.seal_after <= timedelta(0):
            raise ValueError("seal_after: wanted more than nothing, such as 10s")
        for proxy in self.trusted_proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError as problem:
                raise ValueError(f"trusted_proxies: {problem}") from None


@dataclass(frozen=True, kw_only=True)
class RetentionConfig:
    """How long what nobody has to keep is kept."""

    archive_days: int = 400
    violations_days: int = 90

    def __post_init__(self) -> None:
        for name in ("archive_days", "violations_days"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: wanted 1 or more")


@dataclass(frozen=True, kw_only=True)
class LimitsConfig:
    """How far events may widen the warehouse; what goes beyond is kept in `_rescued`."""

    event_tables: int = 1_000  # each costs every command a little time

    def __post_init__(self) -> None:
        if not 1 <= self.event_tables <= 5_000:
            raise ValueError("event_tables: wanted 1 to 5000")


@dataclass(frozen=True, kw_only=True)
class Config:
    """headwater.yml, whole."""

    warehouse: WarehouseConfig = field(default_factory=WarehouseConfig)
    sources: dict[str, SourceConfig] = field(default_factory=dict)
    collector: CollectorConfig = field(default_factory=CollectorConfig)
    contracts: ContractsConfig = field(default_factory=ContractsConfig)
    privacy: PrivacyConfig = field(default_factory=PrivacyConfig)
    enrichment: EnrichmentConfig = field(default_factory=EnrichmentConfig)
    transformations: tuple[TransformationConfig, ...] = ()
    middleware: tuple[str, ...] = ()
    dedupe_days: int = 30
    retention: RetentionConfig = field(default_factory=RetentionConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    identity: IdentityConfig = field(default_factory=IdentityConfig)
    destinations: dict[str, DestinationConfig] = field(default_factory=dict)
    syncs: dict[str, SyncConfig] = field(default_factory=dict)
    transform_every: timedelta = timedelta(minutes=15)

    def __post_init__(self) -> None:
        if self.dedupe_days < 1:
            raise ValueError("dedupe_days: wanted 1 or more")

    @cached_property
    def rewrites_events(self) -> bool:
        """Whether events may be stored otherwise than they came.

        If not, an event's columns are its own values and what enrichment adds to its context.
        """
        is_private = self.privacy.anonymize_ip or bool(self.privacy.hash)
        return is_private or bool(self.transformations or self.middleware)


def read_config(path: Path) -> Config:
    """The config in the file `path`; ConfigError says where it is wrong."""
    try:
        found = load_yaml(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise ConfigError(f"{path}: not readable as YAML: {problem}") from problem
    found = {} if found is None else found
    if isinstance(found, dict) and isinstance(found.get("destinations"), dict):
        found = {**found, "destinations": _split_settings(found["destinations"])}
    config: Config = build(Config, found, "")
    for name, sync in config.syncs.items():
        if sync.destination not in config.destinations:
            where = f"syncs.{name}.destination"
            raise unknown_key(sync.destination, config.destinations, where)
    return config


def _split_settings(destinations: dict[str, Any]) -> dict[str, Any]:
    """Each destination as {type, settings}: only its type knows which settings it has."""
    own = {item.name for item in dataclasses.fields(DestinationConfig)} - {"settings"}
    return {
        name: {
            **{key: value for key, value in found.items() if key in own},
            "settings": {key: value for key, value in found.items() if key not in own},
        }
        if isinstance(found, dict)
        else found
        for name, found in destinations.items()
    }
