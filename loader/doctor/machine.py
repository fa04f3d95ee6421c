"""What Headwater needs of the machine: Python, packages, dbt, a few optional tools."""

import platform
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from typing import Final

from packaging.requirements import Requirement

from loader.doctor.check import Check
from loader.load.kernel import is_usable

_MIN_PYTHON: Final = (3, 11)
_NAMED: Final = ("dbt-core", "dbt-duckdb", "duckdb", "pyarrow")
_REINSTALL: Final = "reinstall with `pip install headwater`, or run `make setup` in a checkout"
_OPTIONAL: Final = {
    "node": (("node",), "apt install nodejs: it runs Segment's own Node SDK in tests"),
    "chromium": (
        ("chromium", "chromium-browser", "google-chrome"),
        "apt install chromium: it runs Analytics.js in a real browser in tests",
    ),
}


def _python() -> Iterator[Check]:
    found = f"{platform.python_version()} ({sys.executable})"
    if sys.version_info >= _MIN_PYTHON:
        yield Check.ok("python", found)
    else:
        yield Check.fail("python", found, "install Python 3.11 or newer")


def _packages() -> Iterator[Check]:
    """Every dependency that the distribution declares, against what is installed."""
    try:
        wanted = [Requirement(line) for line in requires("headwater") or ()]
    except PackageNotFoundError:
        yield Check.warn("packages", "headwater is not installed here", _REINSTALL)
        return
    wrong = list(_unmet(need for need in wanted if not need.marker or need.marker.evaluate()))
    for complaint in wrong:
        yield Check.fail("packages", complaint, _REINSTALL)
    if not wrong:
        named = ", ".join(f"{name} {version(name)}" for name in _NAMED)
        yield Check.ok("packages", f"headwater {version('headwater')}: {named}")


def _unmet(needs: Iterable[Requirement]) -> Iterator[str]:
    for need in needs:
        try:
            installed = version(need.name)
        except PackageNotFoundError:
            yield f"{need.name} is missing, wanted {need.specifier}"
            continue
        if not need.specifier.contains(installed, prereleases=True):
            yield f"{need.name} is {installed}, wanted {need.specifier}"


def _kernel() -> Iterator[Check]:
    if is_usable():
        yield Check.ok("kernel", "compiled: ordinary events are loaded the fast way")
    else:
        yield Check.warn(
            "kernel",
            "not compiled, or off by HEADWATER_KERNEL: loads take four times the CPU",
            "install a C++20 compiler (g++ 11 or newer), then Headwater once more",
        )


def _dbt() -> Iterator[Check]:
    try:
        found = find_spec("dbt.cli")
    except ModuleNotFoundError:
        found = None
    if found and found.origin:
        yield Check.ok("dbt", found.origin)
    else:
        yield Check.fail("dbt", f"{sys.executable} has no dbt-core", _REINSTALL)


def _tools() -> Iterator[Check]:
    for name, (commands, use) in _OPTIONAL.items():
        found = next(filter(None, map(shutil.which, commands)), None)
        if found:
            yield Check.ok(f"{name} (optional)", found)
        else:
            yield Check.warn(f"{name} (optional)", "not found; only development uses it", use)


MACHINE_CHECKS: Final[tuple[Callable[[], Iterator[Check]], ...]] = (
    _python,
    _packages,
    _kernel,
    _dbt,
    _tools,
)
