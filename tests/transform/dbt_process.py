"""A child process that runs dbt on request: one JSON array of arguments a line.

It stays alive between requests, because starting dbt costs more than most of its runs, and it is
a process of its own, because dbt's imports warn and tests turn warnings into errors.
"""

import gc
import json
import os
import sys

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner


def main() -> None:
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # dbt's own output is not an answer
    for line in sys.stdin:
        answer = dbtRunner().invoke(json.loads(line))
        nodes = getattr(answer.result, "results", [])
        failed = [f"{n.node.name}: {n.message}" for n in nodes if n.status in ("error", "fail")]
        if not answer.success and not failed:
            failed = [str(answer.exception)]
        DuckDBConnectionManager.close_all_connections()
        gc.collect()  # frees the file for the test, which writes to it and reads from it
        print(json.dumps(failed), file=out, flush=True)


if __name__ == "__main__":
    main()
