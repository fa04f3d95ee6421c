"""Settings that come from the environment: `${NAME}`, resolved when used, never printed."""

import os
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from loader.errors import ConfigError

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_UNBRACED = re.compile(r"\$<([A-Za-z_][A-Za-z0-9_]*)>")
_WRITE_KEY = re.compile(r'("writeKey\\*"\s*:\s*\\*")[^"\\]*')  # \" where JSON stands in JSON


@dataclass(frozen=True)
class Secret:
    """A string of headwater.yml that may hold `${NAME}`; its repr shows where it stands only."""

    template: str = field(repr=False)
    where: str

    def reveal(self) -> str:
        """The value with every `${NAME}` filled in; ConfigError names an unset variable."""

        def value_of(match: re.Match[str]) -> str:
            name = match.group(1)
            value = os.environ.get(name)
            if not value:
                raise ConfigError(
                    f"headwater.yml: {self.where}: the environment variable {name} is not set",
                    fix=f"export {name}=… and run this again",
                )
            return value

        return _REFERENCE.sub(value_of, self.template).strip()

    def reveal_or_none(self) -> str | None:
        """The value, or None while a variable that it names is unset."""
        missing = any(not os.environ.get(name) for name in _REFERENCE.findall(self.template))
        return None if missing else self.reveal()


def load_yaml(text: str) -> Any:
    """The YAML document, in which `${NAME}` may stand unquoted, also inside `{…}`."""
    # To YAML a brace is syntax: for the time of reading, references do without.
    return _restored(yaml.safe_load(_REFERENCE.sub(r"$<\1>", text)))


def _restored(found: Any) -> Any:
    if isinstance(found, str):
        return _UNBRACED.sub(r"${\1}", found)
    if isinstance(found, dict):
        return {_restored(key): _restored(value) for key, value in found.items()}
    return [_restored(value) for value in found] if isinstance(found, list) else found


def strip_write_keys(text: str) -> str:
    """`text` (JSON, perhaps torn) without the value of any `writeKey`."""
    return _WRITE_KEY.sub(r"\1", text)
