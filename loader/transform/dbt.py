"""dbt as a child process: it takes seconds to import and keeps global state, so it stays out."""

import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from loader.config import Workspace
from loader.errors import TransformFailed
from loader.transform.results import NodeResult, RunResults, read_results
from loader.transform.targets import Target

_TAIL_LINES = 25
_NODE_ENDED = re.compile(r"\d\d:\d\d:\d\d +(\d+ of \d+ (?!START).*)")


@dataclass(frozen=True)
class DbtRun:
    """A run of dbt in which nothing failed."""

    seconds: float
    results: RunResults


def run_dbt(
    workspace: Workspace,
    warehouse: Target,
    options: Sequence[str],
    say: Callable[[str], None] | None = None,
) -> DbtRun:
    """Run `dbt build` on `warehouse`; TransformFailed says what went wrong and where.

    Results are believed only if this very run wrote them: they must carry its marker.
    """
    target = workspace.dbt / "target"
    marker = {"HEADWATER_RUN": uuid.uuid4().hex}
    (target / "run_results.json").unlink(missing_ok=True)
    started = time.monotonic()
    command = _command(workspace, target, [*warehouse.arguments, *options])
    exit_code, tail = _run(command, _environment(workspace, warehouse, marker), say)
    seconds = time.monotonic() - started
    results = read_results(target, marker)
    if results is None:
        raise _crashed(workspace, warehouse, exit_code, tail)
    failed = [node for node in results.nodes if node.is_failed]
    if failed:
        raise _failed(workspace, warehouse, failed, results)
    if exit_code != 0:
        raise _crashed(workspace, warehouse, exit_code, tail)
    return DbtRun(seconds, results)


def _command(workspace: Workspace, target: Path, options: Sequence[str]) -> list[str]:
    root = str(workspace.root)
    # -P: a file in the current folder must not pass for a module of dbt's.
    dbt = [sys.executable, "-P", "-c", "from dbt.cli.main import cli; cli()", "build", *options]
    folders = ["--project-dir", root, "--profiles-dir", root, "--target-path", str(target)]
    return [*dbt, *folders, "--log-path", str(workspace.dbt / "logs"), "--no-use-colors"]


def _environment(
    workspace: Workspace, warehouse: Target, marker: Mapping[str, str]
) -> dict[str, str]:
    return {
        **os.environ,
        "HEADWATER_TARGET": warehouse.name,
        **warehouse.variables,
        "HEADWATER_IDENTITY": json.dumps(workspace.config.identity.as_document()),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        # dbt copies variables with this prefix into the metadata of its artifacts.
        **{f"DBT_ENV_CUSTOM_ENV_{name}": value for name, value in marker.items()},
    }


def _run(
    command: Sequence[str], environment: Mapping[str, str], say: Callable[[str], None] | None
) -> tuple[int, list[str]]:
    """The exit code, negative if a signal ended it, and the last lines of the output."""
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            for line in process.stdout or ():
                tail.append(line.rstrip())
                ended = _NODE_ENDED.match(line)
                if say and ended:
                    say(ended.group(1))
        except BaseException:
            process.kill()
            raise
    return process.returncode, list(tail)


def _failed(
    workspace: Workspace, warehouse: Target, failed: Sequence[NodeResult], results: RunResults
) -> TransformFailed:
    lines = "\n".join(f"  {node}" for node in failed)
    return TransformFailed(
        f"dbt: {len(failed)} of {len(results.nodes)} nodes failed; "
        f"{warehouse.after_failure}\n{lines}\n  log: {_log(workspace)}",
        fix="mend what is named above, then repeat `headwater transform`",
    )


def _crashed(
    workspace: Workspace, warehouse: Target, exit_code: int, tail: Sequence[str]
) -> TransformFailed:
    how = f"was killed by signal {-exit_code}" if exit_code < 0 else f"ended with code {exit_code}"
    lines = "\n".join(f"  | {line}" for line in tail if line)
    return TransformFailed(
        f"dbt {how} before it was done; {warehouse.after_failure}\n{lines}\n"
        f"  log: {_log(workspace)}",
        fix="mend what dbt says above, then repeat `headwater transform`",
    )


def _log(workspace: Workspace) -> Path:
    return workspace.dbt / "logs" / "dbt.log"
