"""A rebuild in a process of its own: python -m tests.load.rebuilder WORKSPACE TABLE.

Says that it is ready, and begins once it is told to.
"""

import os
import sys
from pathlib import Path

from loader.config import Workspace
from loader.load import rebuild_table

if __name__ == "__main__":
    os.write(1, b"ready\n")
    sys.stdin.readline()
    rebuild_table(Workspace(Path(sys.argv[1])), sys.argv[2])
