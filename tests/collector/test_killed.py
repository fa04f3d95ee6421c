"""kill -9 under load, again and again: what was acknowledged is in the raw tables, once."""

import http.client
import itertools
import json
import random
import threading
import time

from loader.load import load_files
from tests.collector.child import BASIC, configure, segments, start_collector

ROUNDS = 20
CLIENTS = 8
BATCH = 20


class Clients:
    """Threads that post batches of new events for as long as somebody answers."""

    def __init__(self, address, ids):
        self.acknowledged = []
        self._address = address
        self._ids = ids
        self._threads = [threading.Thread(target=self._post) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def join(self):
        for thread in self._threads:
            thread.join()

    def _post(self):
        connection = http.client.HTTPConnection(*self._address, timeout=20)
        try:
            while True:
                ids = [f"m-{next(self._ids)}" for _ in range(BATCH)]
                body = {"batch": [make_event(message_id) for message_id in ids]}
                connection.request("POST", "/v1/batch", json.dumps(body), BASIC)
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    self.acknowledged += ids
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()


def make_event(message_id):
    return {
        "type": "track",
        "event": "Tick",
        "userId": "u1",
        "messageId": message_id,
        "properties": {"text": "x" * 500},
    }


def test_no_acknowledged_event_is_lost_or_doubled_by_kill_9(workspace, raw):
    configure(workspace, collector={"segment_megabytes": 1})
    at_random = random.Random(7)
    ids = itertools.count()
    acknowledged = []
    slowest_start = 0.0

    for number in range(ROUNDS):
        started = time.monotonic()
        collector = start_collector(workspace, "--workers", str(1 + number % 2))
        if number:  # the first one also fills the disk's cache with Python's files
            slowest_start = max(slowest_start, time.monotonic() - started)
        clients = Clients(collector.address, ids)
        time.sleep(at_random.uniform(0.05, 0.5))
        collector.kill()
        clients.join()
        acknowledged += clients.acknowledged
        if number % 7 == 3:
            load_files(workspace, [])
    load_files(workspace, [])

    assert len(acknowledged) > ROUNDS * BATCH * CLIENTS
    stored = [row[0] for row in raw(workspace, "select id from raw.tick")]
    assert len(stored) == len(set(stored))
    assert set(acknowledged) - set(stored) == set()
    assert raw(workspace, "select count(*) from raw.violations") == [(0,)]
    assert segments(workspace) == []
