"""dlt brings EVENTS to DATABASE by way of FORMAT: a table an event, each messageId once.

Runs in an environment of its own; dlt's working files go beside DATABASE.
"""

import gzip
import json
import sys
from pathlib import Path

import dlt

_PAGE_EVENTS = 5_000  # dlt takes lists with much less work than single events
_TABLES = {"identify": "identifies", "alias": "aliases"}


def _table_of(event):
    call = event["type"]
    return event["event"] if call == "track" else _TABLES.get(call, f"{call}s")


@dlt.resource(table_name=_table_of, max_table_nesting=1, write_disposition="append")
def _events(file):
    seen, page = set(), []
    with gzip.open(file) as lines:
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:  # a torn line
                continue
            if "huge" in event.get("properties", ()):  # dlt refuses integers beyond 64 bits
                event["properties"]["huge"] = str(event["properties"]["huge"])
            if event["messageId"] not in seen:
                seen.add(event["messageId"])
                page.append(event)
            if len(page) == _PAGE_EVENTS:
                yield page
                page = []
    yield page


events, database, file_format = sys.argv[1:]
dlt.pipeline(
    "events",
    pipelines_dir=str(Path(database).with_suffix(".pipelines")),
    destination=dlt.destinations.duckdb(database),
    dataset_name="raw",
).run(
    _events(events),
    loader_file_format=file_format,
)
