import io
import shutil
import sys

from loader.run import run_once
from tests.spool.place import line, put

COUNTS = ("events_in", "accepted", "blocked", "duplicates", "suppressed", "dropped")


def test_json_is_one_document_whose_counts_add_up(headwater, workspace, events):
    ended = headwater("load", "--json", events({}, {"total": 1}))

    found = ended.document
    assert ended.code == 0
    assert found["tables"] == {"order_completed": 2, "tracks": 2}
    assert found["events_in"] == 2 == sum(found[name] for name in COUNTS[1:])


def test_what_is_newly_blocked_makes_the_exit_code_3_and_a_repeat_0(headwater, workspace, events):
    path = events({"total": "14500"})

    first, second = headwater("load", path), headwater("load", path)

    assert first.code == 3
    assert "1 blocked" in first.out
    assert '"14500" is a string; the contract wants a number >= 0' in first.out
    assert second.code == 0


def test_standard_input_is_read_for_a_dash(headwater, workspace, events, monkeypatch):
    stdin = io.TextIOWrapper(io.BytesIO(events({}).read_bytes()))
    monkeypatch.setattr(sys, "stdin", stdin)

    ended = headwater("load", "-", "--json")

    assert ended.document["accepted"] == 1


def test_a_missing_file_is_a_missing_input(headwater, workspace):
    ended = headwater("load", "nowhere.ndjson")

    assert (ended.code, ended.out) == (2, "")
    assert "error: nowhere.ndjson" in ended.err


def test_a_source_is_stored_with_its_events(headwater, workspace, events):
    headwater("load", events({}), "--source", "server")

    ended = headwater("query", "select source_id from raw.tracks", "--json")

    assert ended.document == [{"source_id": "server"}]


def test_what_events_hold_is_shown_to_a_terminal_and_not_obeyed(headwater, workspace, events):
    ended = headwater("load", events({"currency": "\x1b[2J"}))

    assert ended.code == 3
    assert "\x1b" not in ended.out + ended.err


def test_without_a_file_the_spool_is_loaded(headwater, workspace):
    page = {"type": "page", "userId": "u", "messageId": "1"}
    put(workspace.spool, line(page, type="page"))

    first, second = headwater("load", "--json"), headwater("load", "--json")

    assert (first.code, first.document["accepted"]) == (0, 1)
    assert (second.code, second.document["events_in"]) == (0, 0)
    ended = headwater("query", "select id, source_id from raw.pages", "--json")
    assert ended.document == [{"id": "1", "source_id": "web"}]


def test_a_source_without_a_file_is_wrong_usage(headwater, workspace):
    ended = headwater("load", "--source", "server")

    assert (ended.code, ended.out) == (2, "")
    assert "--source without FILE" in ended.err
    assert "Fix: name the files" in ended.err


def test_a_run_loads_the_spool(workspace):
    put(workspace.spool, line({"type": "page", "userId": "u"}, type="page"))

    loaded = next(run_once(workspace))

    assert [report.accepted for report in loaded.reports] == [1]


def test_a_table_s_lost_rows_come_back_and_the_exit_code_says_if_not_all_do(
    headwater, workspace, events
):
    with (workspace.root / "headwater.yml").open("a") as config:
        config.write("\nretention: {archive_days: 100000}\n")
    headwater("load", events({}, {"total": 1}))

    def lose():
        for path in (workspace.lake / "tracks").rglob("*.parquet"):
            path.unlink()

    lose()
    found, nothing = (headwater("load", "--rebuild", "tracks") for _ in range(2))
    lose()
    shutil.rmtree(workspace.archive)
    workspace.archive.mkdir()
    gone = headwater("load", "--rebuild", "tracks")

    assert (found.code, nothing.code, gone.code) == (0, 0, 1)
    assert "tracks: 2 of 2 missing rows came back, of 1 loads" in found.out
    assert nothing.out == "tracks: nothing is missing\n"
    assert "load 1: 2 rows are lost: the archive has nothing of it of" in gone.out
    assert headwater("load", "--rebuild", "tracks", "--json").document["gone"][0]["load_id"] == 1


def test_a_rebuild_takes_no_file_and_no_source_and_only_a_table_that_is_there(
    headwater, workspace, events
):
    path = events({})
    headwater("load", path)

    assert headwater("load", path, "--rebuild", "tracks").code == 2
    assert headwater("load", "--source", "web", "--rebuild", "tracks").code == 2
    misspelt = headwater("load", "--rebuild", "track")
    assert misspelt.code == 2
    assert "did you mean tracks?" in misspelt.err
