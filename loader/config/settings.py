"""The keys of headwater.yml: one frozen dataclass a section, defaults here and nowhere else."""

import dataclasses
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import yaml

from loader.config.secrets import Secret, load_yaml
from loader.config.strict import build, unknown_key
from loader.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class WarehouseConfig:
    """Where the tables live."""

    type: Literal["duckdb"] = "duckdb"


@dataclass(frozen=True, kw_only=True)
class SourceConfig:
    """One source of events; its write key is what its SDK sends."""

    write_key: Secret | None = None


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
class Config:
    """headwater.yml, whole."""

    warehouse: WarehouseConfig = field(default_factory=WarehouseConfig)
    sources: dict[str, SourceConfig] = field(default_factory=dict)
    dedupe_days: int = 30
    destinations: dict[str, DestinationConfig] = field(default_factory=dict)
    syncs: dict[str, SyncConfig] = field(default_factory=dict)
    transform_every: timedelta = timedelta(minutes=15)

    def __post_init__(self) -> None:
        if self.dedupe_days < 1:
            raise ValueError("dedupe_days: wanted 1 or more")


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
