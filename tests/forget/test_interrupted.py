"""A forget that is killed, comes twice, or means nobody or several."""

import json
import os
import random
from shutil import copytree

import pytest

from loader.alerts import AlertState, erase_messages, read_state, write_state
from loader.alerts.state import Pending, Told
from loader.config import Workspace
from loader.errors import Busy, ConfigError
from loader.forget import forget, survey
from loader.forget.journal import read_journal
from loader.load import load_files
from loader.locks import exclusive
from loader.warehouse import read_manifest
from tests.forget.people import ANNA, ANNA_IDS, event, of_anna, of_others
from tests.forget.test_forget import rows, write
from tests.forget.trace import traces
from tests.spool.place import line, padded, put

KILLS = 8
SEED = random.randrange(2**32)


def two_loads(workspace, tmp_path):
    for number in range(2):
        events = [*of_others(str(number)), *of_anna(str(number))[:3]]
        events.append(event(f"{number}-u", "identify", userId=ANNA_IDS[0], traits={"email": ANNA}))
        load_files(workspace, [write(tmp_path / f"{number}.ndjson", events)])
    put(workspace.spool, padded(line(json.dumps(of_anna("s")[0]).encode(), type="identify")))


def test_killed_at_any_moment_and_repeated_it_is_done(workspace, tmp_path, killer):
    two_loads(workspace, tmp_path)
    wanted = copytree(workspace.root, tmp_path / "wanted")
    forget(Workspace(wanted), survey(Workspace(wanted), ANNA_IDS[0]).person)
    draw = random.Random(SEED)
    for kill in range(KILLS):
        tried = Workspace(copytree(workspace.root, tmp_path / f"tried{kill}"))
        killer.forget(tried, ANNA_IDS[0], seconds=draw.uniform(0.01, 0.6))

        receipt = forget(tried, survey(tried, f"user_id:{ANNA_IDS[0]}").person)

        told = f"seed {SEED}, kill {kill}"
        assert traces(tried, ANNA_IDS[0]) == [], told
        assert read_journal(tried) is None, told
        assert receipt.is_suppressed
        mine, its = rows(tried), rows(Workspace(wanted))
        assert {t: len(r) for t, r in mine.items()} == {t: len(r) for t, r in its.items()}, told


def test_what_another_began_is_finished_first_and_both_have_a_receipt(workspace, tmp_path):
    two_loads(workspace, tmp_path)
    with pytest.raises(Busy), exclusive(workspace.home / "compact.lock", "compaction"):
        forget(workspace, survey(workspace, ANNA_IDS[0]).person)
    assert read_journal(workspace).person.asked == ANNA_IDS[0]
    told = []

    forget(workspace, survey(workspace, "user_id:bob").person, told.append)

    assert any("interrupted" in line for line in told)
    assert traces(workspace, ANNA_IDS[0], "bob") == []
    assert len(list(workspace.receipts.iterdir())) == 2


def test_two_at_once_one_says_who_is_at_work(workspace, load):
    load(*of_anna("1"))
    person = survey(workspace, ANNA_IDS[0]).person

    with (
        exclusive(workspace.home / "forget.lock", "forget"),
        pytest.raises(Busy, match=f"another forget is at work here .process {os.getpid()}"),
    ):
        forget(workspace, person)

    assert traces(workspace, ANNA_IDS[0]) != []


def test_nobody_is_an_error_unless_a_type_says_what_to_keep_out(workspace, load):
    load(*of_others("1"))

    with pytest.raises(ConfigError, match="nobody here has that"):
        survey(workspace, "nobody@x.de")
    with pytest.raises(ConfigError, match="identifies nobody"):
        survey(workspace, "anonymous_id:anonymous")
    found = survey(workspace, "email: Nobody@X.de ")
    forget(workspace, found.person)

    assert [str(one) for one in found.person.identifiers] == ["email:nobody@x.de"]
    late = event("late", "identify", userId="n", traits={"email": "NOBODY@x.de"})
    assert load(late).suppressed == 1


def test_without_marts_it_is_what_carries_the_identifier_itself(workspace, load):
    load(
        event("1", "identify", userId="u", traits={"email": "ü@x.de", "phone": "1"}),
        event("2", anonymousId="d", context={"traits": {"email": " Ü@X.de"}}),
        event("3", anonymousId="d", properties={"email": "Ü@x.de"}),
        event("4", userId="u"),
        event("5", anonymousId="d", context={"externalIds": [{"type": "email", "id": "ü@x.de"}]}),
    )

    forget(workspace, survey(workspace, "email:ü@x.DE").person)

    assert traces(workspace, "ü@x.de", "Ü@X.de") == []
    assert [row for row in rows(workspace)["tracks"] if "'4'" in row] == rows(workspace)["tracks"]
    assert rows(workspace)["identifies"] == []
    assert all(file.rows for file in read_manifest(workspace).files)


def test_alerts_that_wait_do_not_tell_of_it(tmp_path):
    pending = [Pending("A", "type", message=ANNA, message_id=id_) for id_ in ("hers", "other")]
    path = tmp_path / "alerts.json"
    write_state(path, AlertState(1, alerts={"x": Told(pending)}))

    assert erase_messages(path, {"hers"}) == 1

    told = read_state(path).alerts["x"].pending
    assert [(one.rule, one.message) for one in told] == [("type", ""), ("type", ANNA)]
