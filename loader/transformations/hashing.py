"""Values that are kept as their hash, so that they can be compared and not read."""

import re
from hashlib import sha256
from typing import Any, Final

from loader.config import PrivacyConfig
from loader.event.values import json_text

_HASH: Final = re.compile(r"[0-9a-f]{64}")


def salt_of(config: PrivacyConfig) -> str:
    """The workspace's salt, "" without one; ConfigError while its variable is not set."""
    return config.hash_salt.reveal() if config.hash_salt is not None else ""


def hashed(value: Any, salt: str) -> Any:
    """`value` with every scalar in it replaced by its SHA-256 in hex.

    Of the salt followed by the text, both in UTF-8; what is no text is taken as its JSON text. null
    stays null. What is such a hash already stays as it is: hashing again changes nothing.
    """
    if value is None:
        return None
    if isinstance(value, dict):
        return {key: hashed(inner, salt) for key, inner in value.items()}
    if isinstance(value, list):
        return [hashed(inner, salt) for inner in value]
    text = value if isinstance(value, str) else json_text(value)
    return text if is_hash(text) else sha256((salt + text).encode()).hexdigest()


def is_hash(text: str) -> bool:
    """Whether `text` looks like what `hashed` makes."""
    return _HASH.fullmatch(text) is not None
