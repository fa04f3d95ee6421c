"""`collect` and `run --every` on one workspace, and who asks for its status meanwhile."""

import json
import signal
import threading

from loader.load import load_files
from loader.scaffold import create_workspace
from tests.cli.process import headwater_process
from tests.collector.child import collecting, configure


def event(number):
    return {
        "type": "track",
        "event": "Tick",
        "userId": f"u{number % 7}",
        "messageId": f"m{number}",
        "properties": {"number": number},
    }


def test_nobody_locks_anybody_out_and_no_event_is_lost(tmp_path, raw):
    workspace = create_workspace(tmp_path / "workspace")
    configure(workspace, transform_every="1s")
    place = ("--workspace", str(workspace.root))
    statuses = []
    posted = []
    is_over = threading.Event()

    def post(collector):
        while not is_over.wait(0.02):
            assert collector.post("/v1/track", event(len(posted)))[0] == 200
            posted.append(len(posted))

    with collecting(workspace) as collector:
        runner = headwater_process("run", "--every", "200ms", "--json", *place)
        poster = threading.Thread(target=post, args=(collector,))
        poster.start()
        stages = []
        for line in runner.stdout:
            stage = json.loads(line)
            stages.append(stage)
            if stage["stage"] == "sync":
                asked = headwater_process("status", "--json", *place)
                statuses.append(json.loads(asked.communicate()[0]))
            if statuses and stage["stage"] == "load":
                break
        runner.send_signal(signal.SIGTERM)
        rest, said = runner.communicate()
        is_over.set()
        poster.join()
    last = load_files(workspace, [])

    stages += [json.loads(line) for line in rest.splitlines()]
    loaded = [r["accepted"] for s in stages if s["stage"] == "load" for r in s["reports"]]
    assert runner.returncode == 0, said
    assert [stage["errors"] for stage in stages if stage["errors"]] == []
    assert sum(loaded) + last.accepted == len(posted) > 50
    assert len(loaded) > 1
    assert raw(workspace, "select count(*), count(distinct id) from raw.tick") == [
        (len(posted), len(posted))
    ]
    assert all(status["spool"]["workers"] for status in statuses)
    assert raw(workspace, "select count(*) > 0 from analytics.users") == [(True,)]
