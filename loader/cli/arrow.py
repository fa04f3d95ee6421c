"""Starting pyarrow without pandas."""

import sys
from importlib.abc import MetaPathFinder
from typing import Any


class _NoPandas(MetaPathFinder):
    def find_spec(self, name: str, *_: Any) -> None:
        """Say that pandas is not installed."""
        if name == "pandas":
            raise ModuleNotFoundError(name)


def start_without_pandas() -> None:
    """Let pyarrow look for pandas once, in vain: else its first array imports it.

    That takes half a second of CPU, as long as all other imports, and no command needs it. Who
    imports pandas later, a middleware for instance, gets it.
    """
    if "pandas" in sys.modules:
        return
    hidden = _NoPandas()
    sys.meta_path.insert(0, hidden)
    try:
        import pyarrow as pa

        pa.array([None])
    finally:
        sys.meta_path.remove(hidden)
