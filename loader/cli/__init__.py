"""The `headwater` command: runs one command, prints what went wrong, gives the exit code."""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Final

import click

from loader.cli.app import headwater
from loader.cli.output import show_error
from loader.errors import LoaderError
from loader.exit_codes import DONE, FAILED, INTERRUPTED

__all__ = ["headwater", "main"]

_DISK_FIX: Final = "check permissions and free space (`headwater doctor`), then run this again"
_ISSUES: Final = "https://github.com/headwater-cdp/headwater/issues"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` (default: the process's) name; the exit code.

    0 done, 1 failed, 2 wrong usage or config, 3 done with something newly blocked or rejected,
    130 interrupted. Nothing else in Headwater prints an error or exits.
    """
    try:
        code = headwater.main(arguments, prog_name="headwater", standalone_mode=False) or DONE
        sys.stdout.flush()
    except click.UsageError as problem:
        show_error(_usage_message(problem))
        return problem.exit_code
    except LoaderError as problem:
        show_error(str(problem))
        _show_traceback()
        return problem.exit_code
    except click.Abort:
        return INTERRUPTED
    except BrokenPipeError:
        # Nobody reads on; what Python still holds for them must not fail at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as problem:
        where = f"{problem.filename}: " if problem.filename else ""
        show_error(f"{where}{problem.strerror or problem}\n  Fix: {_DISK_FIX}")
        _show_traceback()
        return FAILED
    except Exception as problem:  # noqa: BLE001 - the last resort: a person gets a message
        show_error(
            f"{type(problem).__name__}: {problem}\n"
            f"  Fix: this is a fault of Headwater; please report it at {_ISSUES}\n"
            "       with what HEADWATER_DEBUG=1 prints for the same command"
        )
        _show_traceback()
        return FAILED
    return int(code)


def _usage_message(problem: click.UsageError) -> str:
    """Click's complaint in our form: where, what, and a Fix that names the nearest known word."""
    command = problem.ctx.command_path if problem.ctx else "headwater"
    fix = f"`{command} --help` shows what there is"
    if isinstance(problem, click.NoSuchOption | click.NoSuchCommand):
        if problem.possibilities:
            fix = f"did you mean {problem.possibilities[0]}?"
        return f"{command}: {problem.message}\n  Fix: {fix}"
    return f"{command}: {problem.format_message()}\n  Fix: {fix}"


def _show_traceback() -> None:
    if os.environ.get("HEADWATER_DEBUG"):
        traceback.print_exc()
