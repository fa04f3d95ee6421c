"""Resolves the calls of DATABASE one after another, as the tests' oracle does.

Stores the users in bench.users, and prints the seconds that the rules took, and those with reading.
"""

import json
import sys
import time
from pathlib import Path

import duckdb
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.identity.oracle import Event, Limit, Resolution, Rules

RULES = Rules(
    {"user_id": Limit(1), "email": Limit(5), "*": Limit(5)},
    blocked=("[0-]*", "-1", "null", "anonymous"),
)
CALLS = """
    select id, epoch_us(received_at), user_id, anonymous_id, email
    from raw.identifies order by _seq
"""
TYPES = ("user_id", "anonymous_id", "email")


def read_events(connection):
    calls = connection.execute(CALLS)
    while rows := calls.fetchmany(100_000):
        for event_id, received_at, *values in rows:
            identifiers = [pair for pair in zip(TYPES, values, strict=True) if pair[1] is not None]
            yield Event(event_id, "identify", received_at, identifiers)


with duckdb.connect(sys.argv[1]) as connection:
    began = time.perf_counter()
    events = list(read_events(connection))
    read = time.perf_counter()
    resolution = Resolution(RULES).resolve(events)
    resolved = time.perf_counter()
    users = [
        (*identifier, profile.canonical.segment_id)
        for identifier, profile in resolution.owners.items()
    ]
    columns = [list(column) for column in zip(*users, strict=True)]
    found = dict(zip(("type", "value", "canonical_user_id"), columns, strict=True))

    found = pa.table(found)
    connection.execute("create schema if not exists bench")
    connection.execute("create or replace table bench.users as select * from found")
    stored = time.perf_counter()
told = {
    "rules": resolved - read,
    "seconds": stored - began,
    "merges": len(resolution.merges),
    "demoted": len(resolution.demotions),
}
print(json.dumps(told))
