"""What a person decided: headwater.yml, and the workspace that it stands in."""

from loader.config.alerts import AlertConfig
from loader.config.contracts import ContractsConfig, SourceContractsConfig
from loader.config.identity import IdentifierConfig, IdentityConfig
from loader.config.pipeline import EnrichmentConfig, PrivacyConfig, TransformationConfig
from loader.config.secrets import Secret, strip_write_keys
from loader.config.settings import (
    CollectorConfig,
    Config,
    DestinationConfig,
    OAuthConfig,
    RetentionConfig,
    SourceConfig,
    SyncConfig,
    read_config,
)
from loader.config.strict import Percent, build, nearest, unknown_key
from loader.config.warehouse import WarehouseConfig
from loader.config.workspace import Workspace, find_workspace, open_workspace

__all__ = [
    "AlertConfig",
    "CollectorConfig",
    "Config",
    "ContractsConfig",
    "DestinationConfig",
    "EnrichmentConfig",
    "IdentifierConfig",
    "IdentityConfig",
    "OAuthConfig",
    "Percent",
    "PrivacyConfig",
    "RetentionConfig",
    "Secret",
    "SourceConfig",
    "SourceContractsConfig",
    "SyncConfig",
    "TransformationConfig",
    "WarehouseConfig",
    "Workspace",
    "build",
    "find_workspace",
    "nearest",
    "open_workspace",
    "read_config",
    "strip_write_keys",
    "unknown_key",
]
