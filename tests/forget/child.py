"""Forgets in processes of their own that start at once, since they are forked from a warm one.

As a module it is that warm process: for each line (workspace and identifier, as JSON) on its
standard input it forks, tells the child's id, and after the next line, which lets that go, how the
child ended.
"""

import json
import os
import sys
from pathlib import Path

from loader.config import Workspace
from loader.forget import forget, survey


def say(line: object) -> None:
    os.write(1, f"{line}\n".encode())


def main() -> None:
    for line in sys.stdin:
        root, asked = json.loads(line)
        child = os.fork()
        if child == 0:
            os.setsid()  # so that dbt ends with it
            workspace = Workspace(Path(root))
            forget(workspace, survey(workspace, asked).person, say)
            os._exit(0)
        say(child)
        sys.stdin.readline()
        say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main()
