"""The demo itself: every stage once, on events that are the same for the same seed."""

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from loader.demo.generator import generate
from loader.demo.receiver import receiving
from loader.demo.report import DemoReport
from loader.demo.workspace import GUIDE_EVENTS, make_workspace
from loader.load import load_files
from loader.sync import run_syncs
from loader.transform import transform


def run_demo(
    directory: Path,
    *,
    seed: int = 7,
    events: int = 20_000,
    say: Callable[[str], None],
) -> DemoReport:
    """Generate, load, transform and sync to a receiver of our own, in a new workspace.

    The workspace stays in `directory`; an earlier demo's there is replaced, and anything else is a
    ConfigError. `say` gets a line before each step.
    """
    started = time.monotonic()
    say(f"a new workspace in {directory}")
    workspace = make_workspace(directory)
    generated = workspace.root / "events" / "generated.ndjson.gz"
    say(f"inventing {events:,} events of a shop")
    generate(generated, events, seed=seed)

    say("loading: contracts, duplicates, raw tables")
    load = load_files(workspace, [str(workspace.root / GUIDE_EVENTS), str(generated)])
    say("transforming: identity, users, orders, audiences (dbt)")
    transform(workspace)
    say("syncing to a receiver on this machine")
    secret = secrets.token_hex()
    with receiving(secret) as receiver:
        settings = {"HEADWATER_DEMO_RECEIVER": receiver.url, "HEADWATER_DEMO_SECRET": secret}
        with _environment(settings):
            for report in run_syncs(workspace):
                if report.error:
                    raise report.error
    return DemoReport.read(workspace, load, len(receiver.rows), time.monotonic() - started)


@contextmanager
def _environment(settings: dict[str, str]) -> Iterator[None]:
    """Environment variables that are set while the block runs."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
