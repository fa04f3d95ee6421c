"""Columns take other types, and every value can still be found."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from loader.errors import ConfigError
from loader.event.values import ColumnType
from loader.warehouse import compact, connect, read_manifest, repair, retype

OURS = {"loaded_at", "load_id", "_seq", "_date"}


def track(number, properties, **fields):
    event = {"type": "track", "event": "Checked", "userId": "u", "messageId": f"m{number}"}
    day = f"2024-05-0{1 + number % 3}T10:00:00Z"
    return {**event, "receivedAt": day, "properties": properties, **fields}


def canonical(value):
    """A value in one form, whichever type a column gives it: 12 is "12", times are instants."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, str):
        try:
            return canonical(datetime.fromisoformat(value)) if "T" in value else value
        except ValueError:
            return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    return json.dumps(value)


def scalars(workspace, table="checked"):
    """Of each event, every value that its row holds, in columns or in `_rescued`."""
    with connect(workspace) as connection:
        result = connection.execute(f"select * from raw.{table}")
        names = [column[0] for column in result.description]
        rows = result.fetchall()
    found = {}
    for row in rows:
        there = {name: value for name, value in zip(names, row, strict=True) if name not in OURS}
        kept = json.loads(there.pop("_rescued") or "{}")
        values = [*there.values(), *kept.values()]
        found[there["id"]] = Counter(canonical(value) for value in values if value is not None)
    return found


def type_of(workspace, column, table="checked"):
    return read_manifest(workspace).catalog.state_of(table, column).type


def column(raw, workspace, name, table="checked"):
    return raw(workspace, f"select {name}, _rescued from raw.{table} order by _seq")


def test_without_a_contract_a_column_takes_the_type_that_fits_all_values(workspace, load, raw):
    load(track(1, {"a": 1, "b": True, "c": 1, "d": 5, "at": "2024-05-01T12:00:00+02:00"}))
    load(track(2, {"a": "x", "b": 0, "c": 2**53 + 1, "d": 6, "at": "soon"}))
    load(track(3, {"a": 2.5, "b": "no", "c": 0.5, "d": [1], "at": "2024-05-01T12:00:00.5Z"}))
    before = scalars(workspace)

    report = retype(workspace, "checked")
    repair(workspace)

    assert scalars(workspace) == before
    assert column(raw, workspace, "a") == [("1", None), ("x", None), ("2.5", None)]
    assert column(raw, workspace, "b") == [("true", None), ("0", None), ("no", None)]
    assert column(raw, workspace, "c") == [("1", None), (str(2**53 + 1), None), ("0.5", None)]
    assert column(raw, workspace, "d") == [("5", None), ("6", None), ("[1]", None)]
    assert [value for value, _ in column(raw, workspace, '"at"')] == [
        *("2024-05-01T10:00:00Z", "soon", "2024-05-01T12:00:00.500000Z")
    ]
    assert {found.column_name: found.taken_back for found in report.columns} == {
        "a": 1,
        "b": 2,
        "c": 1,
        "d": 1,
        "at": 1,
    }
    assert retype(workspace, "checked").columns == []


def test_a_contracts_type_moves_what_no_longer_fits_and_takes_back_what_does(workspace, load, raw):
    load(track(1, {"total": "n/a", "day": "then", "ok": "maybe"}))
    load(track(2, {"total": 12, "day": "2024-05-01T10:00:00Z", "ok": True}))
    load(track(3, {"total": "012", "day": "2024-05-01T10:00:00+01:00", "ok": "true"}))
    load(track(4, {"total": [1], "ok": 1}), track(5, {"total": 1.5}))
    before = scalars(workspace)
    wanted = {"total": ColumnType.INT, "day": ColumnType.TIMESTAMP, "ok": ColumnType.BOOL}

    retype(workspace, "checked", None, wanted)
    repair(workspace)

    assert scalars(workspace) == before
    assert [type_of(workspace, name) for name in wanted] == list(wanted.values())
    assert [
        (value, json.loads(kept or "{}")) for value, kept in column(raw, workspace, "total")
    ] == [
        (None, {"/properties/total": "n/a", "/properties/day": "then", "/properties/ok": "maybe"}),
        (12, {}),
        (None, {"/properties/total": "012"}),
        (None, {"/properties/total": "[1]", "/properties/ok": "1"}),
        (None, {"/properties/total": "1.5"}),
    ]
    assert raw(workspace, "select ok from raw.checked order by _seq") == [
        *((None,), (True,), (True,), (None,), (None,))
    ]

    retype(workspace, "checked", "total", {"total": ColumnType.FLOAT})
    repair(workspace)
    assert scalars(workspace) == before


def test_one_column_alone_and_loads_go_on_with_its_type(workspace, load, raw):
    load(track(1, {"a": 1, "b": 1}), track(2, {"a": "x", "b": "x"}))

    retype(workspace, "checked", "a")
    load(track(3, {"a": 2.5, "b": 2}))

    assert type_of(workspace, "b") is ColumnType.INT
    assert raw(workspace, "select a, b, _rescued from raw.checked order by _seq") == [
        ("1", 1, None),
        ("x", None, '{"/properties/b":"x"}'),
        ("2.5", 2, None),
    ]


def test_two_keys_of_one_column_stay_two_values(workspace, load, raw):
    load(track(1, {"priceUSD": 1, "price_usd": "one"}), track(2, {"priceUSD": "two"}))
    before = scalars(workspace)

    retype(workspace, "checked")
    repair(workspace)

    assert scalars(workspace) == before
    assert column(raw, workspace, "price_usd") == [
        ("1", '{"/properties/price_usd":"one"}'),
        ("two", None),
    ]


def test_a_value_that_moves_out_never_takes_anothers_place(workspace, load):
    load(track(1, {"priceUSD": "one", "price_usd": "two"}), track(2, {"price_usd": 3}))
    before = scalars(workspace)

    retype(workspace, "checked", "price_usd", {"price_usd": ColumnType.INT})
    repair(workspace)

    assert scalars(workspace) == before


def test_a_column_of_the_context_is_retyped_in_every_table(workspace, load, raw):
    load(track(1, {}, context={"n": 1}), {**track(2, {}), "type": "identify", "traits": {}})
    load(
        track(3, {}, context={"n": "x"}),
        {"type": "identify", "userId": "u", "messageId": "i", "context": {"n": "y"}},
    )
    before = {name: scalars(workspace, name) for name in ("checked", "tracks", "identifies")}

    report = retype(workspace, "checked", "context_n")
    repair(workspace)

    assert {found.table_name for found in report.columns} == set(before)
    assert {name: scalars(workspace, name) for name in before} == before
    for table in ("checked", "tracks"):
        assert column(raw, workspace, "context_n", table) == [("1", None), ("x", None)]


def test_traits_and_what_stands_beside_the_properties_are_found_too(workspace, load, raw):
    load({"type": "identify", "userId": "u", "messageId": "1", "traits": {"age": 5}})
    load({"type": "identify", "userId": "u", "messageId": "2", "traits": {"age": "old", "p": None}})

    retype(workspace, "identifies")
    repair(workspace)

    assert column(raw, workspace, "age", "identifies") == [("5", None), ("old", None)]
    found = raw(workspace, "select _nulls from raw.identifies order by id")
    assert found == [(None,), ('["p"]',)]


def test_it_is_one_commit_which_readers_of_before_do_not_see(workspace, load, raw):
    load(track(1, {"a": 1}), track(2, {"a": "x"}))
    before = read_manifest(workspace)
    with connect(workspace) as connection:
        query = "select a, _rescued from raw.checked order by _seq"
        held = connection.execute(query).fetchall()

        retype(workspace, "checked")
        repair(workspace)

        assert connection.execute(query).fetchall() == held
    after = read_manifest(workspace)
    assert (after.version, after.epoch) == (before.version + 1, before.epoch + 1)
    assert raw(workspace, query) == [("1", None), ("x", None)]
    changes = "select load_id, column_name, old_type, new_type, sample from raw.schema_changes"
    assert raw(workspace, f"{changes} where change = 'retyped'") == [
        (before.next_load_id, "a", "int", "text", "/properties/a")
    ]
    compact(workspace)
    assert raw(workspace, query) == [("1", None), ("x", None)]


def test_a_reader_of_before_gets_an_error_rather_than_a_part_of_the_rows(workspace, load, raw):
    load(track(1, {"a": 1}), track(2, {"a": "x"}))
    with connect(workspace) as connection:
        retype(workspace, "checked")
        repair(workspace)
        for minutes in (11, 12):
            compact(workspace, now=datetime.now(UTC) + timedelta(minutes=minutes))

        with pytest.raises(duckdb.IOException, match="No files found"):
            connection.execute("select a from raw.checked")
    assert raw(workspace, "select a from raw.checked order by _seq") == [("1",), ("x",)]
    assert list(workspace.lake.glob("checked/*/1.parquet")), "they should be links by now"
    assert all(path.is_symlink() for path in workspace.lake.glob("checked/*/1.parquet"))


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("nowhere",), "retype nowhere: there is no such table"),
        (("checked", "b"), "retype checked b: no such column"),
        (("checked", "timestamp"), "the type of that column is ours and fixed"),
        (("loads", "rows"), "the type of that column is ours and fixed"),
    ],
)
def test_what_cannot_be_retyped_is_told(workspace, load, names, told):
    load(track(1, {"a": 1}))

    with pytest.raises(ConfigError, match=told):
        retype(workspace, *names)


@pytest.mark.parametrize("table", ["loads", "aliases"])
def test_a_table_without_columns_of_events_is_left_as_it_is(workspace, load, table):
    load(track(1, {"a": 1}))
    before = read_manifest(workspace).version

    assert retype(workspace, table).columns == []
    assert read_manifest(workspace).version == before
