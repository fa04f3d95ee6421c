"""A compaction in a process of its own: python -m tests.warehouse.compactor WORKSPACE TIMES

Says when it begins; with TIMES 0 it only loads the modules.
"""

import sys
from pathlib import Path

from loader.config import Workspace
from loader.warehouse import compact

if __name__ == "__main__":
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for _ in range(int(sys.argv[2])):
        compact(Workspace(Path(sys.argv[1])))
