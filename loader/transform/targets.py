"""Where dbt builds: one of the outputs of profiles.yml, and the variables that fill it in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from loader.config import Workspace

_UNSET: Final = "None"  # what profiles.yml takes for nothing


@dataclass(frozen=True)
class Target:
    """What dbt is told of the warehouse, and what is left of it when a build fails."""

    name: str
    variables: Mapping[str, str]
    after_failure: str
    arguments: tuple[str, ...] = field(default=())


def duckdb_target(build: Path) -> Target:
    """The DuckDB file `build`, a copy that is published only if all goes well."""
    return Target(
        "duckdb",
        {"HEADWATER_WAREHOUSE": str(build)},
        f"the published warehouse is as it was; what was built is in {build}, "
        "until the next transform",
    )


def bigquery_target(workspace: Workspace) -> Target:
    """The datasets of headwater.yml, in place: BigQuery replaces each table at once or not at all.

    Credentials are found as `connect_bigquery` finds them; a plain-http address is a stand-in on
    this machine, which wants none and must get none.
    """
    config = workspace.config.warehouse
    keyfile = str(workspace.root / config.keyfile) if config.keyfile else None
    method = "service-account" if keyfile else "oauth"
    if config.base_url and config.base_url.startswith("http://"):
        method = "oauth-secrets"
    values = {
        "PROJECT": config.project,
        "LOCATION": config.location,
        "DATASET": config.dataset,
        "RAW_DATASET": config.raw_dataset,
        "METHOD": method,
        "KEYFILE": keyfile,
        "IMPERSONATE": config.impersonate,
        "BASE_URL": config.base_url,
        "MAXIMUM_BYTES_BILLED": config.maximum_bytes_billed,
    }
    return Target(
        "bigquery",
        {
            f"HEADWATER_BIGQUERY_{name}": _UNSET if value is None else str(value)
            for name, value in values.items()
        },
        f"what was built before is new in {config.project}.{config.dataset}, the rest is as it was",
        ("--target", "bigquery"),
    )
