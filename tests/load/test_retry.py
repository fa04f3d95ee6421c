"""What was kept back, loaded once its contract was mended."""

import json
import signal
from hashlib import sha256

import pytest

from loader.config import Workspace
from loader.errors import Busy
from loader.load import Selection, list_violations, load_files, retry_violations
from loader.locks import exclusive
from loader.warehouse import commit_manifest, read_manifest
from tests.conftest import make_workspace
from tests.load.retrial import retry_and_kill

ORDER = {
    "type": "track",
    "event": "Order Completed",
    "userId": "usr_1",
    "messageId": "m-1",
    "receivedAt": "2025-03-04T10:00:12.345678Z",
    "sentAt": "2025-03-04T10:00:11Z",
    "timestamp": "2025-03-04T10:00:00Z",
    "properties": {"order_id": "ORDER-1", "total": "14500", "currency": "RUB"},
    "context": {"ip": "1.2.3.4", "page": {"url": "https://shop.example"}},
}
COUNTS = ("accepted", "blocked", "duplicates", "suppressed", "dropped")
OURS = "loaded_at, load_id, _seq"


def order(number, **properties):
    properties = {**ORDER["properties"], **properties}
    return {**ORDER, "messageId": f"m-{number}", "properties": properties}


def mend(workspace, *, total=None):
    """Let the contract of orders say of `total` what the argument says, or nothing."""
    path = workspace.schemas / "track" / "order_completed.json"
    contract = json.loads(path.read_text())
    contract["rules"]["properties"]["total"] = total or {}
    path.write_text(json.dumps(contract))


def write_config(workspace, text):
    (workspace.root / "headwater.yml").write_text(text)


def write(workspace, event):
    path = workspace.root / "one.ndjson"
    path.write_text(json.dumps(event) + "\n")
    return str(path)


def forget_ids(workspace):
    """Let the workspace be as it is once `dedupe_days` are over."""
    manifest = read_manifest(workspace)
    manifest.id_runs = []
    manifest.version += 1
    commit_manifest(workspace, manifest)


def retry(workspace, **selection):
    report = retry_violations(workspace, Selection(**selection))
    assert report.events_in == sum(getattr(report, name) for name in COUNTS)
    return report


def open_ids(workspace):
    rows, _ = list_violations(workspace, Selection(), is_all=False, max_rows=1_000)
    return {row.message_id for row in rows}


def test_what_passes_a_mended_contract_is_in_the_tables_as_if_it_had_never_been_blocked(
    workspace, tmp_path, write_ndjson, raw
):
    odd = {**order(2), "context": "none", "extra": {"a": 1}, "writeKey": "secret"}
    timeless = {k: v for k, v in order(3).items() if k not in ("receivedAt", "sentAt")}
    numbered = {**order(4), "messageId": 1234, "receivedAt": "yesterday", "userId": 17}
    file = write_ndjson([order(1), odd, timeless, numbered])
    load_files(workspace, [file], source="web")
    mend(workspace)

    report = retry(workspace)

    undisturbed = make_workspace(tmp_path / "undisturbed")
    load_files(undisturbed, [])  # columns get their types by the contract as it was
    mend(undisturbed)
    load_files(undisturbed, [file], source="web")
    rows = f"select * exclude ({OURS}, _rescued) from raw.order_completed order by id"
    rescued = "select _rescued from raw.order_completed order by id"
    assert (report.accepted, report.blocked) == (4, 0)
    assert raw(workspace, rows) == raw(undisturbed, rows)
    found = [json.loads(text) for [text] in raw(workspace, rescued) if text]
    assert found == [json.loads(text) for [text] in raw(undisturbed, rescued) if text]
    assert len(raw(workspace, "from raw.tracks")) == 4


def test_it_is_loaded_once_however_often_it_is_tried(workspace, load, raw):
    load(order(1), order(2))
    mend(workspace)

    reports = [retry(workspace) for _ in range(3)]

    assert [report.accepted for report in reports] == [2, 0, 0]
    assert [report.events_in for report in reports] == [2, 0, 0]
    assert raw(workspace, "select count(*), count(distinct id) from raw.tracks") == [(2, 2)]
    assert open_ids(workspace) == set()


def test_one_that_was_sent_again_meanwhile_is_not_loaded_a_second_time(workspace, load, raw):
    load(order(1), order(2))
    load(order(1, total=14500))
    mend(workspace)

    report = retry(workspace)

    assert (report.events_in, report.accepted) == (1, 1)
    assert raw(workspace, "select id from raw.tracks order by id") == [("m-1",), ("m-2",)]


def test_nor_once_the_ids_of_that_time_are_forgotten(workspace, load, raw):
    load(order(1), order(2))
    mend(workspace)
    assert retry(workspace, message_ids=("m-1",)).accepted == 1

    forget_ids(workspace)
    report = retry(workspace)

    assert (report.events_in, report.accepted) == (1, 1)
    assert raw(workspace, "select id from raw.tracks order by id") == [("m-1",), ("m-2",)]


def test_what_was_tried_is_known_to_the_next_load_of_the_same_event(workspace, load, raw):
    load(order(1))
    mend(workspace)
    retry(workspace)

    again = load(order(1), order(2))

    assert (again.accepted, again.duplicates) == (1, 1)


@pytest.mark.parametrize("is_known", [True, False])
def test_what_still_fails_stays_kept_back_and_is_not_written_twice(workspace, load, raw, is_known):
    load(order(1))

    if not is_known:
        forget_ids(workspace)
    report = retry(workspace)

    assert (report.accepted, report.blocked, report.newly_blocked) == (0, 1, 0)
    assert report.load_id is None
    assert len(raw(workspace, "from raw.violations")) == 1
    assert open_ids(workspace) == {"m-1"}


def test_another_reason_than_before_takes_the_old_ones_place(workspace, load):
    load(order(1))
    mend(workspace, total={"type": "boolean"})

    first, second = retry(workspace), retry(workspace)
    mend(workspace, total={"type": "string", "maxLength": 3})
    third = retry(workspace)

    [found] = list_violations(workspace, Selection(), is_all=False, max_rows=10)[0]
    assert [r.newly_blocked for r in (first, second, third)] == [0, 0, 1]
    assert (found.rule, found.load_id) == ("maxLength", third.load_id)


def test_what_no_contract_can_mend_stays(workspace, load):
    nameless = {**ORDER, "messageId": "no-name", "event": ""}
    stranger = {**ORDER, "messageId": "no-id", "userId": None}
    large = order("large", total="x" * 33_000)
    load(b"not JSON", nameless, stranger, large, order(1))
    mend(workspace)

    report = retry(workspace)

    assert (report.events_in, report.accepted, report.blocked) == (5, 1, 4)
    assert report.newly_blocked == 0
    assert len(open_ids(workspace)) == 4


def test_an_event_of_a_batch_that_says_more_than_32_kb_for_all_is_loaded(workspace, load):
    batch = {"batch": [order(1)], "context": {"note": "x" * 40_000}}
    load(json.dumps(batch).encode())
    mend(workspace)

    assert retry(workspace).accepted == 1


def test_only_what_is_asked_for_is_tried(workspace, load, write_ndjson):
    load(order(1), order(2), {**order(3), "event": "Subscription Started"})
    other = write_ndjson([{**order(4), "receivedAt": "2025-06-01T00:00:00Z"}], "other.ndjson")
    load_files(workspace, [other], source="server")
    for contract in workspace.schemas.glob("track/*.json"):
        contract.unlink()

    counts = [
        retry(workspace, message_ids=("m-2", "nobody")).accepted,
        retry(workspace, event="Subscription Started").accepted,
        retry(workspace, source="server", rule="required").accepted,
        retry(workspace, source="server", rule="type").accepted,
        retry(workspace).accepted,
    ]

    assert counts == [1, 1, 0, 1, 1]


def test_a_violation_of_what_was_let_in_is_nothing_to_try(workspace, load, monkeypatch):
    for name in ("WEB_WRITE_KEY", "SERVER_WRITE_KEY"):
        monkeypatch.setenv(name, name)
    load({**ORDER, "properties": {**ORDER["properties"], "total": 1}, "writeKey": "unknown"})

    assert retry(workspace).events_in == 0
    assert open_ids(workspace) == set()


def test_it_goes_through_the_pipeline_of_today_once(workspace, load, raw):
    write_config(workspace, "{transformations: [{hash: [properties.order_id]}]}")
    load(order(1), order(2), {**order(3), "userId": "usr_2"})
    mend(workspace)
    write_config(
        workspace,
        "{transformations: [{hash: [properties.order_id]}], privacy: {suppress: gone.txt}}",
    )
    (workspace.root / "gone.txt").write_text("usr_2\n")

    report = retry(Workspace(workspace.root))

    assert (report.accepted, report.suppressed) == (2, 1)
    hashed = sha256(b"ORDER-1").hexdigest()
    assert raw(workspace, "select distinct order_id from raw.order_completed") == [(hashed,)]


def test_what_a_middleware_failed_on_is_loaded_once_it_does_not(workspace, load, raw):
    path = workspace.root / "middle_of_retry.py"
    path.write_text("def step(event):\n    return event if event['userId'] == 'x' else 1 / 0\n")
    write_config(workspace, "{middleware: ['middle_of_retry:step']}")
    report = load_files(Workspace(workspace.root), [write(workspace, order(1, total=1))])
    write_config(workspace, "")

    again = retry(Workspace(workspace.root))

    assert (report.blocked, again.accepted) == (1, 1)
    assert len(raw(workspace, "from raw.order_completed")) == 1


def test_while_a_load_runs_it_says_so(workspace, load):
    load(order(1))

    with exclusive(workspace.home / "load.lock", "load"), pytest.raises(Busy, match="another load"):
        retry(workspace)


def test_thousands_are_loaded_in_the_order_in_which_they_were_received(workspace, load, raw):
    moments = [
        f"2025-03-04T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z" for n in range(9_000)
    ]
    load(*({**order(n), "receivedAt": at} for n, at in enumerate(moments)))
    mend(workspace)

    report = retry(workspace)

    assert report.accepted == 9_000
    ids = raw(workspace, "select id from raw.tracks order by _seq")
    assert ids == [(f"m-{n}",) for n in range(9_000)]


def test_killed_at_any_moment_and_repeated_it_has_loaded_all_once(workspace, load, raw):
    load(*(order(n) for n in range(3_000)))
    mend(workspace)

    outcomes = [retry_and_kill(workspace, 0.1 * number) for number in range(1, 7)]
    report = retry(workspace)

    assert -signal.SIGKILL in outcomes
    assert raw(workspace, "select count(*), count(distinct id) from raw.tracks") == [(3_000, 3_000)]
    assert report.events_in == report.accepted
    assert open_ids(workspace) == set()
