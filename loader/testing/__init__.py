"""For test suites of apps that send events: a real collector, and assertions on what came."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from loader.testing.assertions import assert_identified, assert_not_tracked, assert_tracked
    from loader.testing.serving import RunningCollector, collector

__all__ = [
    "RunningCollector",
    "assert_identified",
    "assert_not_tracked",
    "assert_tracked",
    "collector",
]
_SERVING: Final = ("RunningCollector", "collector")


def __getattr__(name: str) -> Any:
    """Import what is asked for: pytest imports this package in every run, for its plugin."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "serving" if name in _SERVING else "assertions"
    return getattr(import_module(f"{__name__}.{module}"), name)
