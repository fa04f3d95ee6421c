"""Who is suppressed, and what is private, is found nowhere on the disk after a load."""

import json

import pyarrow.parquet as pq

from tests.load.outcome import adds_up, archived
from tests.load.spooled import at, batch, ids, track
from tests.spool.place import line

ANNA = "anna@example.com"


def stored(workspace):
    """All that lies on the disk, uncompressed: the texts of every file of lake and archive."""
    files = [*workspace.lake.rglob("*.parquet"), *workspace.archive.rglob("*.parquet")]
    assert files
    return "\n".join(str(pq.read_table(path).to_pydict()) for path in files)


def test_a_suppressed_user_leaves_no_trace(workspace, configure, load, raw):
    configure("privacy: {suppress: gone.txt}")
    (workspace.root / "gone.txt").write_text("anna\nanonymousId:d-1\n")

    report = load(
        track("1", userId="anna", properties={"note": ANNA}),
        {"type": "track", "userId": "anna", "properties": {"note": ANNA}},
        {"type": "alias", "userId": "x", "previousId": "anna"},
        {"type": "page", "anonymousId": "d-1", "name": ANNA},
        track("2", properties={"note": "x" * 40_000 + ANNA}, userId="anna"),
        b'{"type":"track","userId":"anna","event":"A',
        track("3"),
    )

    assert (report.accepted, report.suppressed, report.blocked) == (1, 5, 1)
    assert adds_up(report)
    assert ANNA not in stored(workspace)
    assert "anna" not in stored(workspace)
    assert ids(raw, workspace) == ["3"]


def test_a_suppressed_user_in_the_spool_leaves_no_trace(workspace, configure, spool, load_spool):
    configure("privacy: {suppress: gone.txt}")
    (workspace.root / "gone.txt").write_text("anna\n")
    spool(
        line(batch(track("1", userId="anna"), track("2")), at=at(1)),
        line(track("3", userId="anna"), type="track", at=at(2)),
    )

    report = load_spool()

    assert (report.accepted, report.suppressed) == (1, 2)
    assert adds_up(report)
    assert "anna" not in stored(workspace)
    assert [path for path in workspace.spool.rglob("*") if path.is_file()] == []


def test_a_load_of_suppressed_events_alone_is_one_and_not_repeated(
    workspace, configure, load, write_ndjson
):
    configure("privacy: {suppress: gone.txt}")
    (workspace.root / "gone.txt").write_text("u\n")

    report = load(track("1"))
    again = load(track("1"))

    assert (report.suppressed, report.load_id, len(again.already_loaded)) == (1, None, 1)


def private(**fields):
    traits = {"email": ANNA, "plan": "pro"}
    context = {"ip": "203.0.113.77", "traits": {"email": ANNA}}
    return {"type": "identify", "userId": "u", "traits": traits, "context": context, **fields}


PRIVACY = "privacy: {anonymize_ip: true, hash: [traits.email, context.traits.email]}"


def test_nothing_private_is_stored_anywhere(workspace, configure, load, raw):
    configure(PRIVACY)
    shared = {"context": {"ip": "203.0.113.78", "traits": {"email": ANNA}}}

    report = load(
        private(messageId="1"),
        private(messageId="1"),
        private(messageId="2", userId=None, type="alias"),  # which an address does not identify
        private(messageId="3", type="identif"),
        private(messageId="4", traits={"Email": ANNA, "name": 5}),
        private(messageId="5", note="x" * 40_000),
        batch(track("6"), {"type": "track"}, ANNA, **shared),
        [private()],
        json.dumps(private()).encode()[:-1],
        b'{"batch":[{"traits":{"email":"%s"' % ANNA.encode(),
    )

    assert adds_up(report)
    assert (report.accepted, report.duplicates) == (2, 1)
    found = stored(workspace)
    assert ANNA not in found
    assert "203.0.113.7" not in found
    assert "203.0.113.0" in found
    assert ANNA not in report.example
    assert raw(workspace, "select length(email), context_ip, plan from raw.identifies") == [
        (64, "203.0.113.0", "pro")
    ]


def test_nothing_private_of_the_spool_is_stored_anywhere(
    workspace, configure, spool, load_spool, raw, monkeypatch
):
    configure(PRIVACY)
    monkeypatch.setenv("WEB_WRITE_KEY", "web")
    monkeypatch.setenv("SERVER_WRITE_KEY", "server")
    client = {"library": {"name": "analytics.js"}}
    spool(
        line(batch(track("1", context=client), b"?".decode()), at=at(1), ip="203.0.113.77"),
        line(track("2"), type="track", at=at(2), ip="203.0.113.78", browser=True),
        line(private(messageId="3"), type="identify", at=at(3), ip="2001:db8:1:2::3"),
        line(private(messageId="4", writeKey="unknown"), source=None, type="identify", at=at(4)),
        line(b'"%s"' % ANNA.encode(), at=at(5)),
    )

    report = load_spool()

    assert adds_up(report)
    found = stored(workspace)
    assert ANNA not in found
    assert "203.0.113.7" not in found
    assert raw(workspace, "select context_ip from raw.a order by _seq") == [
        ("203.0.113.0",),
        ("203.0.113.0",),
    ]


def test_the_archive_gives_back_the_cleaned_event_whole(workspace, configure, load):
    configure(PRIVACY)
    event = private(messageId="1", extra={"big": 10**30, "x": 1.5, "ü": [None]}, writeKey="k")

    load(event)

    (kept,) = archived(workspace)
    assert kept["context"]["ip"] == "203.0.113.0"
    assert len(kept["traits"]["email"]) == 64
    assert kept["extra"] == event["extra"]
    assert "writeKey" not in kept
