"""`headwater profile` on BigQuery: the same SQL; and the seed of overrides, as dbt loads it."""

import json

import pytest

from loader.cli import main
from loader.overrides import Identifier, Override, add_override
from loader.transform import transform
from tests.bigquery.asking import rows_of
from tests.bigquery.models import add_models
from tests.profile.tables import START, Identity, segment_id, selects

P1 = segment_id(Identifier("user_id", "u1"))


@pytest.fixture
def profile(marts, capsys):
    """Runs `headwater profile … --json` on tables made by hand."""
    (marts.workspace.root / "dbt_project.yml").write_text("seed-paths: [seeds]\n")
    identity = Identity()
    identity.event("user_id:u1", "anonymous_id:ipad", "email:it's@\\x")
    identity.event("user_id:u2", "anonymous_id:ipad", anonymous_id="limit")
    identity.event("user_id:u3").event("anonymous_id:ipad", "anonymous_id:phone")
    identity.merges = [(Identifier("user_id", "u1"), Identifier("user_id", "u3"))]
    identity.more = {
        "int_identity_rules": [(json.dumps({"blocked": ["[0-]*"]}),)],
        "id_graph": [("f0", P1)],
        "profile_merges": [("f0", P1, "identify", "m1", START)],
        "user_traits": [(P1, "plan", "pro", "m1", START)],
    }
    marts.publish(**{table: selects(rows, table) for table, rows in identity.rows().items()})

    def run(*arguments):
        root = str(marts.workspace.root)
        code = main(["profile", *arguments, "--json", "--workspace", root])
        written = capsys.readouterr()
        return code, json.loads(written.out) if written.out else written.err

    return run


def test_show_and_explain_answer_as_on_duckdb(profile):
    _, shown = profile("show", "f0")
    _, typed = profile("show", "email:IT'S@\\X")
    _, chain = profile("explain", "u3", "phone")
    _, apart = profile("explain", "u2", "ipad")
    code, blocked = profile("show", "000")

    assert (shown["canonical_id"], shown["former_id"]) == (P1, "f0")
    assert {**typed, "asked": "f0", "former_id": "f0"} == shown
    assert [row["value"] for row in shown["identifiers"]] == [
        "ipad",
        "phone",
        "it's@\\x",
        "u1",
        "u3",
    ]
    assert [row["id"] for row in shown["events"]] == ["m4", "m3", "m1"]
    assert shown["merges"][0]["timestamp"] == "2026-03-01T00:00:00Z"
    assert (shown["traits"][0]["value"], shown["overrides"][0]["kind"]) == ("pro", "merge")
    assert [(hop["by"], hop["event_id"]) for hop in chain["hops"]] == [
        ("override", None),
        ("event", "m1"),
        ("event", "m4"),
    ]
    assert apart["demotions"][0]["event_id"] == "m2"
    assert (code, "a blocked value" in blocked) == (1, True)


def test_the_seed_of_overrides_is_loaded_as_it_was_written(bigquery_workspace):
    workspace = add_models(bigquery_workspace)
    values = ['a,b "c"', "0012", " spaced ", "é😀 \u2028", "it's \\n", "true", "null"]
    for value in values:
        override = Override(kind="split", identifier=Identifier("user_id", value), note=value)
        add_override(workspace, override)

    transform(workspace, arguments=["--select", "identity_overrides"])

    found = rows_of(workspace, "select * from identity_overrides order by value")
    assert [(row[2], row[6]) for row in found] == [(value, value) for value in sorted(values)]
    assert {row[:2] for row in found} == {("split", "user_id")}
