"""A person is forgotten: nothing of theirs is left anywhere, and nothing else changes."""

import json
from pathlib import Path
from shutil import copyfile, copytree

import pytest

from loader.cli import main
from loader.config import Workspace
from loader.load import load_files, rebuild_table
from loader.sync import run_syncs
from loader.transform import transform
from loader.warehouse import compact, connect, read_manifest
from tests.bigquery.models import MODELS_ONLY
from tests.conftest import ROOT, make_workspace
from tests.forget.conftest import Killer
from tests.forget.people import ANNA, ANNA_IDS, DAY, NEEDLES, PHONE, event, of_anna, of_others
from tests.forget.trace import traces
from tests.spool.place import line, padded, put
from tests.twin.receiver import serving

CONFIG = """
destinations: {{hook: {{type: webhook, base_url: {url}}}}}
syncs:
  by_phone: {{model: users, destination: hook, key: {{tel: phone}}, fields: {{name: first_name}}}}
  by_mail: {{model: users, destination: hook, key: {{email: email}}}}
contracts: {{alerts: [{{type: webhook, url: {url}}}]}}
"""
PLANTED = f"{ANNA} {PHONE} {' '.join(ANNA_IDS)}"


def write(path: Path, events) -> str:
    lines = [e if isinstance(e, bytes) else json.dumps(e).encode() for e in events]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return str(path)


def marts(workspace: Workspace) -> dict[str, list[str]]:
    """What the marts say; columns without a value say nothing."""
    found = {}
    with connect(workspace) as connection:
        for table in ("users", "user_identifiers", "events", "orders", "groups"):
            asked = connection.execute(f"select * from analytics.{table}")
            names = [column[0] for column in asked.description]
            found[table] = sorted(
                repr({n: v for n, v in zip(names, row, strict=True) if v is not None})
                for row in asked.fetchall()
            )
    return found


def rows(workspace: Workspace) -> dict[str, list[str]]:
    """Every raw table."""
    with connect(workspace) as connection:
        tables = read_manifest(workspace).catalog.tables
        return {
            table: sorted(map(repr, connection.execute(f"select * from raw.{table}").fetchall()))
            for table in tables
        }


@pytest.fixture(scope="module")
def forgotten(tmp_path_factory, killer):
    """Two workspaces, one of which had Anna in every place and has forgotten her.

    The first time it was killed when it had begun to build the marts.
    """
    folder = tmp_path_factory.mktemp("forget")
    with serving() as receiver:
        places = {}
        for name in ("with", "without"):
            workspace = make_workspace(folder / name)
            for file in ("dbt_project.yml", "profiles.yml"):
                copyfile(ROOT / file, workspace.root / file)
            copytree(ROOT / "dbt_project", workspace.root / "dbt_project")
            kept = workspace.root / "headwater.yml"
            told = kept.read_text().split("destinations:")[0]
            kept.write_text(told + CONFIG.format(url=receiver.url))
            places[name] = Workspace(workspace.root)
        yield make(folder, killer, places["with"], places["without"])


def make(folder: Path, killer: Killer, with_her: Workspace, without_her: Workspace):
    for number in range(2):
        others = of_others(str(number))
        hers = of_anna(str(number))
        mixed = [one for pair in zip(others, hers, strict=False) for one in pair] + hers[7:]
        load_files(with_her, [write(folder / f"with{number}", mixed)])
        load_files(without_her, [write(folder / f"without{number}", others)])
    compact(with_her)  # whose replaced files stay for an hour
    for workspace in (with_her, without_her):
        transform(workspace, arguments=MODELS_ONLY)
    run_syncs(with_her)
    plant(with_her)
    before = traces(with_her, *NEEDLES)
    killer.forget(with_her, ANNA_IDS[1], seconds=60, until="OK created")
    code = main(["profile", "forget", ANNA.upper(), "--yes", "--workspace", str(with_her.root)])
    return with_her, without_her, before, code


def plant(workspace: Workspace) -> None:
    """What people, killed processes and trespassers leave."""
    for name in (
        *("warehouse.duckdb.wal.20260101T000000Z", "dbt/build/left.duckdb", "dbt/logs/dbt.log"),
        *("swap/warehouse.duckdb", "compaction/draft.parquet", "lake/tracks/unlisted.parquet"),
        *("dbt/target/compiled/x.sql", "archive/_date=2026-11-01/.9.parquet.tmp", ".x.tmp"),
    ):
        path = workspace.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PLANTED)
    seed = workspace.root / "dbt_project" / "seeds" / "identity_overrides.csv"
    seed.parent.mkdir(exist_ok=True)
    seed.write_text(
        "kind,type,value,other_type,other_value,created_at,note\n"
        f"merge,user_id,{ANNA_IDS[0]},user_id,bob,2026-11-01,\n"
        'split,user_id,zoe,,,2026-11-01,"a, note"\n'
    )
    hers = [json.dumps(one).encode() for one in of_anna("s")[:4]]
    other = json.dumps(event("s-b", userId="bob", timestamp=DAY.format(1)))
    put(workspace.spool, padded(*(line(text) for text in [*hers, other.encode()])))
    put(workspace.spool, padded(*map(line, hers)), worker=1, suffix=".open")


def test_nothing_of_hers_is_left_in_any_byte(forgotten):
    workspace, _, before, code = forgotten

    assert code == 0
    places = {trace.split("/")[0].split(":")[0] for trace in before}
    assert places >= {
        *("lake", "archive", "spool", "state", "dbt", "swap", "compaction", ".x.tmp"),
        *("warehouse.duckdb", "warehouse.duckdb.wal.20260101T000000Z"),
    }
    assert traces(workspace, *NEEDLES) == []
    assert not (workspace.home / "forgetting.json").exists()


def test_everything_of_others_is_as_if_she_had_never_been(forgotten):
    workspace, other, *_ = forgotten

    wanted, found = marts(other), marts(workspace)
    from_spool = [row for row in found["events"] if "'s-b'" in row]
    assert len(from_spool) == 1
    assert len(found["events"]) == len(wanted["events"]) + 1
    assert {**found, "events": 0} == {**wanted, "events": 0}
    seed = workspace.root / "dbt_project" / "seeds" / "identity_overrides.csv"
    assert seed.read_text().splitlines()[1:] == ['split,user_id,zoe,,,2026-11-01,"a, note"']


def test_the_log_of_loads_says_what_is_there(forgotten):
    workspace, *_ = forgotten

    with connect(workspace) as connection:
        for table, there in read_manifest(workspace).rows_by_table().items():
            if table not in ("loads", "schema_changes"):
                asked = "select coalesce(sum(rows), 0) from raw.loads where table_name = ?"
                assert connection.execute(asked, [table]).fetchone() == (there,), table


def test_the_receipt_has_counts_and_hashes_and_no_values(forgotten):
    workspace, *_ = forgotten

    [path] = workspace.receipts.iterdir()
    receipt = json.loads(path.read_text())
    assert receipt["erased"]["raw.identifies"] == 2
    assert receipt["erased"]["archive"] == receipt["erased"]["raw.tracks"] + 2 * 4
    assert receipt["erased"]["raw.violations"] == 2 * (3 + 1)
    assert receipt["erased"]["sync by_phone"] == receipt["erased"]["sync by_mail"] == 2
    assert receipt["erased"]["spool"] == 8
    assert {kind: len(some) for kind, some in receipt["identifiers"].items()} == {
        "anonymous_id": 3,
        "email": 1,
        "user_id": 1,
    }
    assert any("reverse ETL" in told for told in receipt["left_to_others"])


def test_what_comes_later_is_let_in_no_more_and_rebuild_still_works(forgotten, tmp_path):
    workspace, *_ = forgotten

    report = load_files(workspace, [write(tmp_path / "later", of_anna("later"))])

    assert (report.accepted, report.suppressed, report.blocked) == (0, 8, 1)
    assert traces(workspace, *NEEDLES) == []
    kept = rows(workspace)
    for file in read_manifest(workspace).files:
        if file.table_name == "tracks":
            (workspace.lake / file.file).unlink()
    rebuilt = rebuild_table(workspace, "tracks")
    assert (rebuilt.changed, rebuilt.gone) == ([], [])
    assert rows(workspace)["tracks"] == kept["tracks"]
    assert traces(workspace, *NEEDLES) == []


def test_it_may_be_repeated_and_she_may_come_back_without_her_past(forgotten, tmp_path, capsys):
    workspace, *_ = forgotten
    here = ["--workspace", str(workspace.root)]

    assert main(["profile", "forget", ANNA, "--dry-run", "--json", *here]) == 0
    assert json.loads(capsys.readouterr().out)["would_erase"] == {}
    assert main(["profile", "forget", f"user_id:{ANNA_IDS[0]}", "--allow-again", *here]) == 0
    report = load_files(workspace, [write(tmp_path / "back", of_anna("back")[:4])])

    assert (report.accepted, report.suppressed) == (4, 0)
    assert main(["profile", "forget", f"user_id:{ANNA_IDS[0]}", "--allow-again", *here]) == 2
    assert "nobody who was forgotten" in capsys.readouterr().err
    assert len(list(workspace.receipts.iterdir())) == 1
