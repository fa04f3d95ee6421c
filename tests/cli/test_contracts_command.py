"""`headwater contracts`, as a process of its own: what a team's pipeline runs."""

import gzip
import json
import subprocess
import sys

import pytest

from tests.cli.process import CHECKOUT

ORDER = {
    "type": "track",
    "event": "Order Completed",
    "userId": "u",
    "messageId": "m-1",
    "properties": {"order_id": "O-1", "total": 1, "currency": "RUB"},
}


@pytest.fixture
def contracts(tmp_path, monkeypatch):
    """Runs `headwater contracts …` in an empty folder; the ended process."""
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    def run(*arguments, stdin=b"", cwd=tmp_path):
        command = [sys.executable, "-m", "loader.cli", "contracts", *map(str, arguments)]
        return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, check=False)

    return run


@pytest.fixture
def schemas(tmp_path):
    """A folder of contracts without a workspace."""
    path = tmp_path / "schemas" / "track" / "order_completed.json"
    path.parent.mkdir(parents=True)
    path.write_bytes((CHECKOUT / "schemas" / "track" / "order_completed.json").read_bytes())
    return tmp_path / "schemas"


def lines(*events):
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def changed(**properties):
    return {**ORDER, "properties": {**ORDER["properties"], **properties}}


def files_in(folder):
    return {p: p.stat().st_mtime_ns for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_folder_of_contracts_is_all_that_check_needs(contracts, schemas, tmp_path):
    (tmp_path / "events.ndjson.gz").write_bytes(gzip.compress(lines(ORDER)))
    before = files_in(tmp_path)

    ended = contracts("check", "--schemas", "schemas", "--events", "events.ndjson.gz")

    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b"1 contracts can be used, 0 errors, 0 warnings" in ended.stdout
    assert (
        b"1 events in 1 lines: 1 clean, 0 would be blocked, 0 let in with violations"
        in ended.stdout
    )
    assert files_in(tmp_path) == before


def test_events_that_would_be_blocked_are_exit_code_3(contracts, schemas):
    events = lines(ORDER, changed(total="1"), {**ORDER, "event": "Cart Viewed"})

    ended = contracts("check", "--schemas", schemas, "--events", "-", stdin=events)

    out = ended.stdout.decode()
    assert ended.returncode == 3
    assert 'Order Completed: $.properties.total: "1" is a string; the contract wants a n' in out
    assert "1 events, the first: standard input, line 2, message m-1" in out
    assert "without a contract: Cart Viewed (1)" in out


def test_check_as_json_is_one_document(contracts, schemas):
    batch = {"batch": [changed(total="1"), ORDER]}

    ended = contracts(
        "check", "--schemas", schemas, "--events", "-", "--json", stdin=lines(ORDER, batch)
    )

    found = json.loads(ended.stdout)
    assert (found["contracts"], found["errors"], found["findings"]) == (1, 0, [])
    events = found["events"]
    assert (events["events"], events["clean"], events["blocked"]) == (3, 2, 1)
    [tried] = events["by_event"]
    assert (tried["event"], tried["events"], tried["blocked"]) == ("Order Completed", 3, 1)
    [rule] = tried["rules"]
    assert (rule["rule"], rule["path"], rule["events"], rule["line"]) == (
        "type",
        "$.properties.total",
        1,
        2,
    )


def test_a_wrong_contract_is_exit_code_2_and_events_are_not_checked(contracts, schemas):
    path = schemas / "track" / "cart_viewed.json"
    path.write_text('{"name": "Cart Viewed", "rules": {"requried": ["cart_id"]}}')

    ended = contracts("check", "--schemas", schemas, "--events", "-", stdin=lines(ORDER))

    out = ended.stdout.decode()
    assert ended.returncode == 2
    assert f"error: {path}: $.rules: unknown keyword 'requried'" in out
    assert "Fix: did you mean 'required'?" in out
    assert b"the events were not checked" in ended.stderr


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--strict"], 2)])
def test_warnings_count_when_check_is_strict(contracts, schemas, options, code):
    path = schemas / "track" / "cart_viewed.json"
    path.write_text('{"name": "cart viewed", "rules": {}}')

    ended = contracts("check", "--schemas", schemas, *options)

    assert ended.returncode == code
    assert b"write 'Cart Viewed'" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["check"], "no headwater.yml here or above"),
        (["check", "--schemas", "nowhere"], "--schemas nowhere: no such folder"),
        (["check", "--schemas", "schemas", "--events", "nowhere"], "nowhere: found nothing"),
        (["diff", "schemas", "main"], "main: no such folder, and no workspace here"),
        (["diff", "schemas", "main", "--schemas", "schemas"], "not a git repository"),
        (["add", "Order Cancelled"], "no headwater.yml here or above"),
        (["add", "--schemas", "schemas"], "name an event, or a --category"),
        (["infer"], "no headwater.yml here or above"),
        (["chek"], "No such command"),
    ],
)
def test_what_is_missing_is_wrong_usage(
    headwater, schemas, tmp_path, monkeypatch, arguments, complaint
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    ended = headwater("contracts", *arguments)

    assert (ended.code, ended.out) == (2, "")
    assert complaint in ended.err
    assert "Fix:" in ended.err


def test_in_a_workspace_columns_and_config_count(headwater, contracts, workspace, events):
    headwater("load", events({"coupon": 7}))
    order = workspace.schemas / "track" / "order_completed.json"
    found = json.loads(order.read_text())
    found["rules"]["properties"]["coupon"] = {"type": "string"}
    order.write_text(json.dumps(found))

    ended = contracts("check", cwd=workspace.root)

    assert ended.returncode == 0
    assert b"raw.order_completed.coupon is int, the contract says text" in ended.stdout


def test_a_breaking_change_is_exit_code_1(contracts, schemas, tmp_path):
    def git(*arguments):
        author = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        subprocess.run(["git", *author, *arguments], cwd=tmp_path, check=True)

    git("init", "--quiet", "--initial-branch", "main")
    git("add", ".")
    git("commit", "--quiet", "--message", "one")
    order = schemas / "track" / "order_completed.json"
    order.write_text(order.read_text().replace('"EUR"]', '"KZT"]'))

    ended = contracts("diff", "main", "schemas", "--schemas", "schemas")
    same = contracts("diff", "main", "HEAD", "--schemas", "schemas", "--json")

    out = ended.stdout.decode()
    assert (ended.returncode, same.returncode) == (1, 0)
    assert 'breaking    $.properties.currency: no longer allowed: "EUR" [enum]' in out
    assert 'compatible  $.properties.currency: allowed now: "KZT" [enum]' in out
    assert "1 breaking, 0 unsure" in out
    assert json.loads(same.stdout) == {
        "old": "main",
        "new": "HEAD",
        "breaking": 0,
        "unsure": 0,
        "compatible": 0,
        "events": [],
    }


def test_in_a_workspace_that_blocks_unplanned_events_one_taken_out_breaks(
    headwater, workspace, tmp_path
):
    (tmp_path / "none").mkdir()

    before = headwater("contracts", "diff", "schemas", "../none")
    with (workspace.root / "headwater.yml").open("a") as config:
        config.write("\ncontracts: {unplanned_events: block}\n")
    after = headwater("contracts", "diff", "schemas", "../none")

    assert (before.code, after.code) == (0, 1)
    assert "headwater.yml blocks unplanned events" in after.out


def test_two_folders_are_compared_without_a_workspace(contracts, schemas, tmp_path):
    (tmp_path / "none").mkdir()

    ended = contracts("diff", "none", "schemas", "--json")

    found = json.loads(ended.stdout)
    assert (ended.returncode, found["compatible"]) == (0, 1)
    assert [(e["name"], e["status"]) for e in found["events"]] == [("Order Completed", "added")]


def test_drafts_are_printed_then_written_and_never_over_a_contract(
    headwater, contracts, workspace, tmp_path
):
    path = tmp_path / "events.ndjson"
    path.write_bytes(
        lines(
            *({**ORDER, "event": "Trial Started", "messageId": f"t-{n}"} for n in range(100)),
            ORDER,
        )
    )
    headwater("load", path)
    place = workspace.schemas / "track" / "trial_started.json"

    printed = contracts("infer", cwd=workspace.root)
    written = contracts("infer", "--write", cwd=workspace.root)
    again = contracts("infer", cwd=workspace.root)
    refused = contracts("infer", "Trial Started", "--write", "--json", cwd=workspace.root)

    [(file, draft)] = json.loads(printed.stdout).items()
    assert file == "schemas/track/trial_started.json"
    assert draft["rules"]["required"] == ["order_id", "total", "currency"]
    assert written.stdout.decode() == f"written: {place}\n"
    assert json.loads(place.read_text()) == draft
    assert (json.loads(again.stdout), again.returncode) == ({}, 0)
    assert b"every event that was loaded has a contract" in again.stderr
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert f"{place}: there is a contract for 'Trial Started' already" in refused.stderr.decode()
    assert contracts("check", "--events", path, cwd=workspace.root).returncode == 0


def test_contracts_of_the_library_are_added_and_never_over_one(contracts, schemas):
    added = contracts("add", "order cancelled", "Started Order", "--schemas", "schemas")
    refused = contracts("add", "Coupon Denied", "Order Completed", "--schemas", "schemas")
    unknown = contracts("add", "Order Canceled", "--schemas", "schemas")

    assert added.stdout.decode().splitlines() == [
        "written: schemas/track/order_cancelled.json",
        "written: schemas/track/checkout_started.json",
    ]
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert b"there is a contract for 'Order Completed' already" in refused.stderr
    assert not (schemas / "track" / "coupon_denied.json").exists()
    assert unknown.returncode == 2
    assert b"did you mean 'Order Cancelled'?" in unknown.stderr


def test_a_category_is_added_but_for_what_has_a_contract(contracts, schemas):
    ended = contracts("add", "--category", "ecommerce", "--schemas", "schemas", "--json")

    found = json.loads(ended.stdout)
    assert ended.returncode == 0
    assert (len(found["written"]), found["kept"]) == (27, ["Order Completed"])
    assert b"note: Order Completed: has a contract already" in ended.stderr
    assert contracts("check", "--schemas", "schemas", "--strict").returncode == 0


def test_the_library_is_listed(contracts):
    everything = contracts("add", "--list", "--json")
    email = contracts("add", "--list", "--category", "email")

    assert len(json.loads(everything.stdout)) == 79
    assert "Email Opened" in email.stdout.decode()
    assert "Order Completed" not in email.stdout.decode()
