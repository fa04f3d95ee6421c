"""Spooled requests of these tests, in few words."""

DAY = "2026-11-20"


def at(second):
    return f"{DAY}T10:00:{second:09.6f}Z"


def track(id_, event="A", **fields):
    return {"type": "track", "event": event, "userId": "u", "messageId": id_, **fields}


def batch(*events, **fields):
    return {"batch": list(events), **fields}


def ids(raw, workspace):
    return [id_ for (id_,) in raw(workspace, "select id from raw.tracks order by _seq")]
