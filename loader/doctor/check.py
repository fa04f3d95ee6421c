"""The result of one check."""

from dataclasses import dataclass
from typing import Literal, Self


@dataclass(frozen=True)
class Check:
    """One thing looked at: a `warn` may be as it should be, a `fail` stops some command."""

    name: str
    state: Literal["ok", "warn", "fail"]
    found: str
    fix: str = ""

    @classmethod
    def ok(cls, name: str, found: str) -> Self:
        """All is well."""
        return cls(name, "ok", found)

    @classmethod
    def warn(cls, name: str, found: str, fix: str) -> Self:
        """Worth knowing."""
        return cls(name, "warn", found, fix)

    @classmethod
    def fail(cls, name: str, found: str, fix: str) -> Self:
        """Something will not work until `fix` is done."""
        return cls(name, "fail", found, fix)
