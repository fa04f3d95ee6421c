"""The demo's summary is right: an independent count of the same input comes to the same numbers."""

import json

import pytest

from loader.demo import run_demo
from tests.end_to_end.plain_count import count


@pytest.mark.parametrize("seed", [7, 23])
def test_the_demo_reports_what_a_plain_count_finds(tmp_path, seed):
    report = run_demo(tmp_path / "demo", seed=seed, events=4000, say=lambda _: None)

    workspace = tmp_path / "demo"
    files = [workspace / "events" / name for name in ("guide.ndjson", "generated.ndjson.gz")]
    expected = count(files, workspace / "schemas")
    reported = json.loads(json.dumps(report.as_json()))
    revenue = expected.pop("revenue")
    assert {name: reported[name] for name in expected} == expected
    assert reported["revenue"] == pytest.approx(revenue)
    assert '"14500" is a string' in reported["violation_example"]
    # The input holds what the counts are there to catch.
    assert expected["blocked"] > 10
    assert expected["duplicates"] > 10
    assert expected["audience_size"] >= 1
    assert expected["users_before"] > expected["users_after"] > 50
