"""Alerts as part of a load: where they begin, and when they are sent."""

from contextlib import suppress
from pathlib import Path

import duckdb

from loader.alerts import AlertState, read_state, tell, write_state
from loader.config import Workspace
from loader.errors import Busy, LoaderError
from loader.load.news import NewsReader
from loader.locks import exclusive
from loader.warehouse import Manifest, read_manifest


def await_news(workspace: Workspace, manifest: Manifest) -> None:
    """Before a load: let alerts begin with it, if they were just configured."""
    path = _state(workspace)
    with suppress(LoaderError, OSError):  # then they begin after it: no reason to fail a load
        if not workspace.config.contracts.alerts:
            path.unlink(missing_ok=True)
        elif read_state(path) is None:
            write_state(path, AlertState(load_id=manifest.next_load_id - 1))


def tell_news(workspace: Workspace, now: float) -> list[str]:
    """After a load: send the alerts that are due at `now` (Unix seconds).

    Whatever goes wrong is a sentence in the answer and put right by the next load; the load is
    done. While another load does the same there is nothing to do.
    """
    alerts = workspace.config.contracts.alerts
    if not alerts:
        return []
    path = _state(workspace)
    try:
        with exclusive(workspace.home / "alerts.lock", "alert"):
            manifest = read_manifest(workspace)
            state = read_state(path) or AlertState(load_id=manifest.next_load_id - 1)
            news = NewsReader(workspace, manifest, state).read(now)
            return tell(alerts, path, state, news, workspace=workspace.root.name, now=now)
    except Busy:
        return []
    except Exception as problem:  # noqa: BLE001 - the load is done, whatever becomes of its alerts
        is_ours = isinstance(problem, LoaderError | duckdb.Error)  # another's may quote an address
        reason = str(problem) if is_ours else type(problem).__name__
        return [f"alerts not sent, the next load tries again: {reason}"]


def _state(workspace: Workspace) -> Path:
    return workspace.state / "alerts.json"
