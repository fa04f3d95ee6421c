"""A collector's life: workers, a graceful end, a disk that refuses, and what it says of itself."""

import http.client
import itertools
import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

from loader.load import load_files
from tests.cli.process import headwater_process
from tests.collector.child import BASIC, collecting, configure, segments, spooled, wait_until
from tests.spool.test_writer import small_disk


def event(name, **fields):
    return {"type": "track", "userId": "u", "event": name, **fields}


def children_of(process):
    listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in listed.split()]


def test_told_to_stop_it_finishes_what_it_was_sent_and_seals_the_spool(workspace):
    configure(workspace)
    body = json.dumps(event("Last words")).encode()
    with collecting(workspace) as collector:
        assert collector.post("/v1/track", event("Before"))[0] == 200
        with collector.connect() as connection:
            head = (
                b"POST /v1/track HTTP/1.1\r\nHost: x\r\nAuthorization: Basic d2tfc2VydmVyOg==\r\n"
            )
            connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body[:10])
            wait_until(lambda: b"headwater_connections 2" in collector.get("/metrics")[2], "2")
            collector.process.send_signal(signal.SIGTERM)
            wait_until(lambda: refuses(collector), "no new connection is taken")
            connection.sendall(body[10:])
            answer = connection.recv(10_000)
        code = collector.stop()

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"Connection: close" in answer
    assert (code, collector.log[-1]) == (0, "collect.stopped")
    assert [line["body"]["event"] for line in spooled(workspace)] == ["Before", "Last words"]
    assert {path.suffix for path in segments(workspace)} == {".sealed"}


def refuses(collector):
    try:
        collector.connect().close()
    except OSError:
        return True
    return False


def test_idle_connections_do_not_hold_up_the_end(workspace):
    configure(workspace)
    with collecting(workspace, "--workers", "2") as collector:
        idle = [collector.connect() for _ in range(5)]
        kept = http.client.HTTPConnection(*collector.address)
        kept.request("GET", "/health")
        kept.getresponse().read()
        started = time.monotonic()
        code = collector.stop()
        took = time.monotonic() - started
        for connection in (*idle, kept):
            connection.close()

    assert code == 0
    assert took < 5


def test_several_workers_share_the_port_each_with_a_spool_of_its_own(workspace):
    configure(workspace)
    with collecting(workspace, "--workers", "3") as collector:
        sent = 0
        while len({path.parent for path in segments(workspace)}) < 2:
            sent += 1
            assert collector.post("/v1/track", event("Shared", messageId=f"m{sent}"))[0] == 200
            assert sent < 1000, "one worker takes everything"
        counted = collector.get("/metrics")[2].decode()

    assert f'headwater_events_total{{source="server"}} {sent}.0' in counted
    assert len(spooled(workspace)) == sent


def test_a_worker_that_dies_is_started_anew_and_what_it_took_is_there(workspace):
    configure(workspace)
    with collecting(workspace, "--workers", "2") as collector:
        for number in range(50):
            assert collector.post("/v1/track", event("Tick", messageId=f"m{number}"))[0] == 200
        for child in children_of(collector.process.pid):
            os.kill(child, signal.SIGKILL)
        wait_until(lambda: answers(collector, event("Tick", messageId="m50")), "a new worker")
        report = load_files(workspace, [])
        code = collector.stop()

    assert report.accepted == 51
    assert code == 0


def answers(collector, body):
    try:
        return collector.post("/v1/track", body)[0] == 200
    except OSError:
        return False


def test_killed_with_its_workers_it_frees_the_port_at_once(workspace):
    configure(workspace)
    with collecting(workspace, "--workers", "2") as collector:
        port = str(collector.address[1])
        workers = children_of(collector.process.pid)
        collector.kill()
    wait_until(lambda: not any(map(is_alive, workers)), "the workers end with their parent")

    with collecting(workspace, "--port", port) as again:
        assert again.get("/health")[0] == 200


def is_alive(process):
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_a_second_collector_may_serve_the_same_workspace(workspace):
    configure(workspace)
    with collecting(workspace) as one, collecting(workspace) as other:
        assert one.post("/v1/track", event("Tick", messageId="m1"))[0] == 200
        assert other.post("/v1/track", event("Tick", messageId="m2"))[0] == 200
        assert other.post("/v1/track", event("Tick", messageId="m1"))[0] == 200
        report = load_files(workspace, [])

    assert (report.accepted, report.duplicates) == (2, 1)


def test_while_the_disk_is_full_the_answer_is_503_and_nothing_acknowledged_is_lost(
    workspace, tmp_path
):
    configure(workspace)
    ids = itertools.count()

    def post(collector):
        large = event("Large", messageId=f"m{next(ids)}", properties={"text": "x" * 30_000})
        return collector.post("/v1/track", large)

    with small_disk(tmp_path / "disk", "2m") as disk:
        workspace.home.mkdir(exist_ok=True)
        workspace.spool.symlink_to(disk)
        with collecting(workspace) as collector:
            while (answer := post(collector))[0] == 200:
                pass
            taken = next(ids) - 1
            is_ready, *_ = collector.get("/ready")
            subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
            wait_until(lambda: collector.get("/ready")[0] == 200, "ready again by itself")
            again, *_ = post(collector)
        said = [line for line in collector.log if line.startswith("collect.disk")]
        report = load_files(workspace, [])

    assert (answer[0], answer[1]["retry-after"], is_ready) == (503, "2", 503)
    assert (again, report.accepted) == (200, taken + 1)
    assert [line.split()[1] for line in said] == ["state=refused", "state=ok"]


def test_events_acknowledged_before_a_load_began_are_in_it(workspace, raw):
    configure(workspace, collector={"seal_after": "1h"})
    with collecting(workspace) as collector:
        for number in range(5):
            assert collector.post("/v1/track", event("Tick", messageId=f"m{number}"))[0] == 200
            load_files(workspace, [])

            assert raw(workspace, "select count(*) from raw.tick") == [(number + 1,)]


def test_a_gigabyte_of_spool_does_not_slow_the_start(workspace):
    configure(workspace)
    folder = workspace.spool / "0"
    folder.mkdir(parents=True)
    for number in range(16):
        with (folder / f"{number:020}-aaaa.sealed").open("wb") as file:
            file.truncate(64_000_000)
    started = time.monotonic()
    with collecting(workspace) as collector:
        took = time.monotonic() - started
        assert collector.get("/health")[0] == 200

    assert took < 10  # Python's own start, on a busy machine; nothing of the gigabyte is read


def test_a_port_that_is_taken_and_a_key_that_is_not_set_are_told_plainly(workspace, monkeypatch):
    configure(workspace)
    monkeypatch.setenv("WEB_WRITE_KEY", "wk_web")
    monkeypatch.delenv("SERVER_WRITE_KEY", raising=False)
    place = ("--workspace", str(workspace.root))
    unset = headwater_process("collect", "--port", "0", *place)
    unset_said = unset.communicate()[1]
    with collecting(workspace) as collector:
        monkeypatch.setenv("SERVER_WRITE_KEY", "wk_server")
        taken = headwater_process("collect", "--port", str(collector.address[1]), *place)
        taken_said = taken.communicate()[1]

    assert unset.returncode == taken.returncode == 2
    assert "SERVER_WRITE_KEY is not set" in unset_said
    assert "Address already in use" in taken_said
    assert "Fix:" in taken_said


def test_clients_of_a_burst_are_all_answered(workspace):
    configure(workspace)
    statuses = []

    def post(collector, number):
        statuses.append(collector.post("/v1/track", event("Burst", messageId=f"m{number}"))[0])

    with collecting(workspace) as collector:
        threads = [threading.Thread(target=post, args=(collector, i)) for i in range(200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert statuses == [200] * 200
    assert len({line["body"]["messageId"] for line in spooled(workspace)}) == 200


def test_metrics_are_what_prometheus_reads(workspace):
    configure(workspace)
    with collecting(workspace) as collector:
        collector.post("/v1/batch", {"batch": [event("Tick"), event("Tick")]})
        collector.post("/v1/batch", {"batch": 3}, BASIC)
        status, headers, text = collector.get("/metrics")

    lines = text.decode().splitlines()
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'headwater_requests_total{status="200"} 1.0' in lines
    assert 'headwater_requests_total{status="400"} 1.0' in lines
    assert 'headwater_events_total{source="server"} 2.0' in lines
    assert "# TYPE headwater_spool_bytes gauge" in lines
