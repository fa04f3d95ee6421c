"""Who opens the published file to write, against the rules: python -m …trespasser DATABASE

Writes a table, says so, and stays until it is killed or its standard input ends.
"""

import sys
from pathlib import Path

import duckdb

if __name__ == "__main__":
    Path(sys.argv[1]).chmod(0o644)
    connection = duckdb.connect(sys.argv[1])
    connection.execute("create table trespass as select 1 as a")
    sys.stdout.write("wrote\n")
    sys.stdout.flush()
    sys.stdin.read()
    connection.close()
