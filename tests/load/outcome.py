"""What came of a load, beside its tables."""

import json

from loader.archive import read_archive
from loader.warehouse import read_manifest


def archived(workspace):
    rows = read_archive(workspace, next_load_id=read_manifest(workspace).next_load_id)
    return [json.loads(row.raw) for row in rows]


def adds_up(report):
    parts = (report.accepted, report.blocked, report.duplicates, report.suppressed, report.dropped)
    return report.events_in == sum(parts)
