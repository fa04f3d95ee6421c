"""What is wrong, or looks wrong, in a contract."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend, at a JSON path of a file below schemas/.

    An error: the contract can't be used, or doesn't say what it seems to. A warning: it works, and
    will surprise somebody.
    """

    severity: Literal["error", "warning"]
    rule: str
    file: str  # relative to schemas/
    path: str
    message: str
    fix: str


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding of one schema, before it is known where that stands."""

    severity: Literal["error", "warning"]
    rule: str
    message: str
    fix: str
