"""The demo's report: numbers for scripts, sentences and the next commands for people."""

import json
from decimal import Decimal

from loader.demo import DemoReport


def report(tmp_path) -> DemoReport:
    return DemoReport(
        workspace=tmp_path / "my demo",
        seconds=12.34,
        events_in=110,
        accepted=100,
        blocked=4,
        duplicates=6,
        tables={"tracks": 60, "pages": 40},
        violations=5,
        violation_example='Order Completed: $.properties.total: "14500" is a string',
        users_before=30,
        users_after=20,
        revenue={"EUR": Decimal("10.50"), "RUB": Decimal("14500.000000000")},
        audience_size=2,
        delivered=22,
    )


def test_json_has_amounts_as_numbers(tmp_path):
    document = json.loads(json.dumps(report(tmp_path).as_json()))

    assert document["revenue"] == {"EUR": 10.5, "RUB": 14500.0}
    assert document["tables"] == {"tracks": 60, "pages": 40}
    assert document["workspace"] == str(tmp_path / "my demo")


def test_text_names_the_counts_and_a_command_that_can_be_pasted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    text = report(tmp_path.resolve()).as_text()

    assert "110 events: 100 accepted, 4 blocked" in text
    assert '"14500" is a string' in text
    assert "30 ids turned out to be 20 users" in text
    assert "EUR 10.50 · RUB 14,500.00" in text
    assert "cd 'my demo' && headwater status" in text
