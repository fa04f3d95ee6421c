# ruff: noqa: F821, BLE001
"""Put between the how-to's setup and its end: makes a file's calls, keeps what was reported."""

import json
import sys
from pathlib import Path

failed = []
analytics.on_error = lambda problem, events: failed.extend(event["messageId"] for event in events)
ARGUMENTS = {"userId": "user_id", "groupId": "group_id", "previousId": "previous_id"}
raised = []
for call in json.loads(Path(sys.argv[1]).read_text()):
    name = call.pop("type")
    given = {ARGUMENTS.get(key, key): value for key, value in call.items()}
    try:
        getattr(analytics, name)(**given)
    except Exception as problem:
        raised.append((call["context"]["test"]["n"], str(problem)))
