"""Which source a write key belongs to, without a hint to who guesses keys."""

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping

from loader.config import Config
from loader.errors import ConfigError

_MAX_REMEMBERED, _LONGEST_REMEMBERED = 1_000, 512


class Keys:
    """The write keys of all sources.

    A key is looked up by its keyed hash, under a secret made at each start: how long that takes
    tells nothing of how much of a key was guessed right.
    """

    def __init__(self, source_by_key: Mapping[str, str]) -> None:
        self._secret = os.urandom(32)
        self._sources = {self._digest(key): source for key, source in source_by_key.items()}
        self._good_headers: dict[bytes, str] = {}

    def source_of(self, key: str) -> str | None:
        """The source that `key` belongs to."""
        return self._sources.get(self._digest(key))

    def source_of_basic(self, authorization: bytes) -> str | None:
        """The source of an `Authorization: Basic` header; None if it names no key that is known.

        Headers found good are remembered as they are; finding them again compares Python's own
        hashes, which a secret keys as well.
        """
        source = self._good_headers.get(authorization)
        if source is None and (key := basic_username(authorization)):
            source = self.source_of(key)
            is_usual = len(authorization) <= _LONGEST_REMEMBERED
            if source and is_usual and len(self._good_headers) < _MAX_REMEMBERED:
                self._good_headers[authorization] = source
        return source

    def _digest(self, key: str) -> bytes:
        text = key.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._secret, digest_size=16).digest()


def read_keys(config: Config) -> Keys:
    """The keys of headwater.yml; ConfigError if there is none, or one is unset or used twice."""
    source_by_key: dict[str, str] = {}
    for name, source in config.sources.items():
        if source.write_key is None:
            continue
        key = source.write_key.reveal()
        if key in source_by_key:
            raise ConfigError(
                f"headwater.yml: sources.{name}.write_key: the same key as that of"
                f" {source_by_key[key]!r}",
                fix="give each source a key of its own",
            )
        source_by_key[key] = name
    if not source_by_key:
        raise ConfigError(
            "headwater.yml: sources: no source has a write key, so nobody could send events",
            fix="add one, as in sources: {web: {write_key: ${WEB_WRITE_KEY}}}",
        )
    return Keys(source_by_key)


def basic_username(authorization: bytes) -> str:
    """The user name of an `Authorization: Basic` header, with a colon or without; "" if none."""
    try:
        plain = base64.b64decode(authorization[6:].strip(), validate=True)
    except binascii.Error:
        return ""
    return plain.partition(b":")[0].decode("utf-8", "replace")
