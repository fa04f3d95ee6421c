"""Names of events and of properties, as they come out of a load and as queries find them."""

import json
import re
from pathlib import Path

import pytest

from loader.cli import main
from loader.event.naming import column_name
from loader.warehouse import connect
from loader.warehouse.catalog import fixed_columns
from loader.warehouse.views import quote
from tests.load.test_once import ORDER
from tests.load.test_rows import rescued, track

CASES = json.loads((Path(__file__).parents[1] / "fixtures/naming_cases.json").read_text())["cases"]
NAMES = [c["input"] for c in CASES if c["kind"] != "path"]
WANTED = {
    **{c["input"]: c["expected"] for c in CASES if c["kind"] != "path"},
    "101 Account Update": "101_account_update",  # Redshift's `_` is ours never: names are quoted
    "注文完了": "zhu_wen_wan_le",
    **dict.fromkeys(("🎉", "!!!", "___")),  # made from a hash
}
RESERVED = re.findall(
    r"\w+",
    """
    all and any array as asc between by case cast collate column constraint create cross current
    default delete desc distinct else end escape except exists extract false fetch filename for
    foreign from full group grouping having hash if in index inner insert intersect interval into
    is join key lateral left like limit lookup merge natural new not null nulls of offset on or
    order outer over partition primary proto qualify range recursive references right rollup rows
    schema select set some struct table tablesample then to treat true union unique unnest update
    user using values view when where window with within
""",
)


def test_every_pair_of_the_naming_cases_is_a_table_and_a_column(workspace, load, raw):
    events = [track(f"t{i}", ORDER, event=name) for i, name in enumerate(NAMES)]
    properties = [track(f"p{i}", {name: f"v{i}"}) for i, name in enumerate(NAMES)]

    report = load(*events, *properties)

    assert report.accepted == 2 * len(NAMES)
    tables = raw(
        workspace, "select event_text, event from raw.tracks where event_text != 'Checked'"
    )
    assert {name: event for name, event in tables if WANTED[name]} == {
        name: wanted for name, wanted in WANTED.items() if wanted
    }
    with connect(workspace) as connection:
        for name, table in tables:
            found = connection.execute(f"select event_text from raw.{quote(table)}").fetchall()
            assert (name,) in found
        for i, name in enumerate(NAMES):
            column = WANTED[name] or column_name((name,))
            query = f"select {quote(column)}, _rescued from raw.checked where id = 'mp{i}'"
            kept = {f"/properties/{name}": f"v{i}"} if column in fixed_columns("checked") else None
            ((value, text),) = connection.execute(query).fetchall()
            assert value == f"v{i}" or json.loads(text) == kept, name


@pytest.mark.parametrize(
    "case", [c for c in CASES if c["kind"] == "path"], ids=lambda c: c["input"]
)
def test_every_path_of_the_naming_cases_is_a_column_or_rescued(case, workspace, load, raw):
    keys = case["input"].partition(" (")[0].split(".")
    value = "2024-05-01T10:00:00Z" if keys == ["receivedAt"] else "v"
    event = inner = track(1, {})
    for key in keys[:-1]:
        inner = inner.setdefault(key, {})
    inner[keys[-1]] = value

    load(event)

    if case["expected"] is not None:
        assert raw(workspace, f"select {quote(case['expected'])} from raw.checked") == [("v",)]
    elif len(keys) > 1:  # Segment drops a property called as a column of its own
        assert rescued(raw, workspace) == [{f"/{'/'.join(keys)}": "v"}]
    else:
        assert raw(workspace, "select received_at::date::text from raw.checked") == [
            ("2024-05-01",)
        ]


def test_names_that_sql_reserves_are_neither_renamed_nor_in_the_way(workspace, load, raw):
    events = [
        track(word, {word: 1, word.upper(): 1, "inner": {word: "a"}}, event=word.title())
        | {"context": {word: {"x": 2}}}
        for word in RESERVED
    ]
    everything = track("everything", dict.fromkeys(RESERVED, True))

    load(
        *events, everything, {"type": "identify", "userId": "u", "traits": everything["properties"]}
    )

    columns = "select table_name, column_name from information_schema.columns"
    assert set(raw(workspace, columns)) >= {
        (table, word) for table in ("checked", "identifies") for word in RESERVED
    }
    with connect(workspace) as connection:
        for word in RESERVED:
            columns = f"{quote(word)}, inner_{word}, context_{word}_x"
            query = f"select {columns} from raw.{quote(word)} where {quote(word)} = 1"
            assert connection.execute(query).fetchall() == [(1, "a", 2)], word


def test_names_that_sql_reserves_are_found_by_the_query_command(workspace, load, capsys):
    load(track(1, {"order": 5, "group": "g", "filename": "f"}, event="Select"))
    load(track(2, {"order": 7, "filename": "f"}, event="Select"))

    query = 'select "order", "group", filename from raw."select" order by "order"'
    code = main(["--workspace", str(workspace.root), "query", query, "--json"])

    assert code == 0
    assert json.loads(capsys.readouterr().out) == [
        {"order": 5, "group": "g", "filename": "f"},
        {"order": 7, "group": None, "filename": "f"},
    ]


@pytest.mark.parametrize(
    "name", ["x" * 100, "x" * 101, "x" * 5_000, "Ж" * 60, "🎉" * 300, "_1" * 99]
)
def test_a_name_of_any_length_is_a_table_and_a_column(name, workspace, load, raw):
    load(track(1, {name: 5}, event=name, context={name: {name: 6}}))

    ((table, kept),) = raw(workspace, "select event, event_text from raw.tracks")
    assert kept == name
    assert len(table) <= 100
    column, nested = column_name((name,)), column_name(("context", name, name))
    assert len(column) <= 100
    assert len(nested) <= 100
    query = f"select {quote(column)}, {quote(nested)} from raw.{quote(table)}"
    assert raw(workspace, query) == [(5, 6)]


def test_long_names_that_begin_alike_keep_their_own_columns(workspace, load, raw):
    names = ["x" * 120 + ending for ending in ("a", "b", " B", "ж")]

    report = load(track(1, {name: n for n, name in enumerate(names)}))

    found = {column_name((name,)) for name in names}
    assert len(found) == 4
    ((*values,),) = raw(workspace, f"select {', '.join(map(quote, found))} from raw.checked")
    assert sorted(values) == [0, 1, 2, 3]
    assert report.warnings == []


def test_names_in_other_scripts_that_meet_are_reported(workspace, load, raw):
    report = load(
        track(1, {"цена": 1, "cena": 2, "tsena": 3}),
        track(2, {}, event="Заказ"),
        track(3, {}, event="zakaz"),
        track(4, {"é": 1, "è": 2}),  # neither has a letter of ASCII: both are transliterated
    )

    assert report.warnings == [
        "names meet: zakaz: 'zakaz', 'Заказ'",
        "names meet: checked.e: /properties/è, /properties/é",
        "names meet: checked.tsena: /properties/tsena, /properties/цена",
    ]
    assert rescued(raw, workspace)[0] == {"/properties/tsena": 3}
