"""A reader who never stops: python -m tests.warehouse.reader DATABASE LAST

Counts raw.tracks on one read-only connection until it sees LAST, then tells all that it saw, and
with how many distinct ids. For each line on its standard input it tells, a line too, once a whole
query has begun and ended since.
"""

import json
import select
import sys

import duckdb


def main(database: str, last: int) -> None:
    seen = set()
    with duckdb.connect(database, read_only=True) as connection:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        query = "select count(*), count(distinct id) from raw.tracks"
        while (last, last) not in seen:
            is_asked = bool(select.select([sys.stdin], [], [], 0)[0]) and bool(sys.stdin.readline())
            seen.add(connection.execute(query).fetchone())
            if is_asked:
                sys.stdout.write("looked\n")
                sys.stdout.flush()
    sys.stdout.write(json.dumps(sorted(seen)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
