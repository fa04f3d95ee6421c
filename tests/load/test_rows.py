"""What becomes of names: columns that are ours, that meet, that are too many."""

import json

import pytest

ROWS = "select * exclude (loaded_at, received_at, timestamp, _date) from raw.checked order by _seq"


def track(number, properties, **fields):
    event = {"type": "track", "event": "Checked", "userId": "u", "messageId": f"m{number}"}
    return {**event, "properties": properties, **fields}


def rescued(raw, workspace, table="checked"):
    found = raw(workspace, f"select _rescued from raw.{table} order by _seq")
    return [json.loads(text or "{}") for (text,) in found]


def test_a_property_named_like_a_column_of_ours_is_kept_beside_it(workspace, load, raw):
    ours = {
        "id": "i",
        "timestamp": "t",
        "receivedAt": "r",
        "event": "e",
        "event_text": "x",
        "user_id": "u",
        "anonymousId": "a",
        "load_id": 5,
        "source_id": "s",
        "loaded_at": "l",
        "sent_at": "s",
        "original_timestamp": "o",
    }

    load(track(1, {**ours, "date": "2024-05-01", "_date": "x", "_seq": 7}))

    assert rescued(raw, workspace) == [
        {f"/properties/{name}": value for name, value in ours.items()} | {"/properties/_date": "x"}
    ]
    assert raw(workspace, "select id, user_id, date, seq from raw.checked") == [
        ("m1", "u", "2024-05-01", 7)
    ]


def test_two_keys_that_meet_in_one_column_are_kept_and_reported(workspace, load, raw):
    report = load(
        track(1, {"priceUSD": 1, "price_usd": 2}),
        track(2, {"price_usd": 3}),
        track(3, {"price_usd": 4, "priceUSD": 4}),
        track(4, {"priceUSD": 1, "price_usd": True}),
        track(5, {"address": {"city": "a"}, "address_city": "b"}),
    )

    assert raw(workspace, "select price_usd from raw.checked order by _seq") == [
        *((1,), (3,), (4,), (1,), (None,))
    ]
    assert rescued(raw, workspace) == [
        {"/properties/price_usd": 2},
        {},
        {},
        {"/properties/price_usd": True},
        {"/properties/address_city": "b"},
    ]
    assert (
        "names meet: checked.price_usd: /properties/priceUSD, /properties/price_usd"
        in report.warnings
    )


def test_two_keys_with_one_value_that_their_column_cannot_hold_are_both_kept(workspace, load, raw):
    load(track(1, {"priceUSD": 1}), track(2, {"priceUSD": "x", "price_usd": "x", "PriceUSD": "y"}))

    assert rescued(raw, workspace) == [
        {},
        {"/properties/priceUSD": "x", "/properties/price_usd": "x", "/properties/PriceUSD": "y"},
    ]


def test_two_events_that_meet_in_one_table_are_told_apart_and_reported(workspace, load, raw):
    report = load(
        track(1, {}), track(2, {}, event="checked"), track(3, {}, event="Pages"), track(4, {})
    )

    assert raw(workspace, "select event, event_text from raw.checked order by _seq") == [
        ("checked", "Checked"),
        ("checked", "checked"),
        ("checked", "Checked"),
    ]
    assert raw(workspace, "select event, event_text from raw.pages_event") == [
        ("pages_event", "Pages")
    ]
    assert raw(workspace, "select count(*) from raw.pages") == [(0,)]
    assert report.warnings == ["names meet: checked: 'Checked', 'checked'"]


@pytest.mark.parametrize("split", [False, True])
def test_a_property_does_not_slip_into_a_column_of_the_context(workspace, load, raw, split):
    first = track(1, {}, context={"ip": "1.2.3.4"})
    second = track(2, {"context_ip": "9.9.9.9", "context": {"ip": "8.8.8.8"}})

    for events in ([first], [second]) if split else ([first, second],):
        load(*events)

    assert raw(workspace, "select context_ip from raw.checked order by _seq") == [
        ("1.2.3.4",),
        (None,),
    ]
    assert rescued(raw, workspace)[1] == {
        "/properties/context_ip": "9.9.9.9",
        "/properties/context/ip": "8.8.8.8",
    }


@pytest.mark.parametrize("split", [False, True])
def test_what_no_column_could_hold_is_rescued_whatever_comes_later(workspace, load, raw, split):
    first, second = track(1, {"a": 2**63}), track(2, {"a": "text"})

    for events in ([first], [second]) if split else ([first, second],):
        load(*events)

    assert rescued(raw, workspace) == [{"/properties/a": 2**63}, {}]
    assert raw(workspace, "select a from raw.checked order by _seq") == [(None,), ("text",)]


def test_a_key_with_pointer_signs_is_escaped(workspace, load, raw):
    load(track(1, {"a~b/c": 1}), track(2, {"a~b/c": "text"}), track(3, {"": {"": 2**70}}))

    assert rescued(raw, workspace)[1:] == [
        {"/properties/a~0b~1c": "text"},
        {"/properties//": 2**70},
    ]


def test_fields_outside_of_the_schema_are_kept(workspace, load, raw):
    load(track(1, {}, traits={"a": 1}, custom=[1], version=2, channel="web", integrations={"x": 1}))

    expected = [{"/custom": [1], "/traits": {"a": 1}}]
    assert rescued(raw, workspace) == rescued(raw, workspace, "tracks") == expected


def test_a_page_has_its_name_from_the_call_or_its_properties(workspace, load, raw):
    page = {"type": "page", "userId": "u"}
    load(
        {**page, "messageId": "1", "name": "A", "properties": {"name": "A", "category": "c"}},
        {**page, "messageId": "2", "name": "A", "properties": {"name": "B"}},
        {**page, "messageId": "3", "properties": {"name": "B"}},
    )

    assert raw(workspace, "select name, category from raw.pages order by _seq") == [
        ("A", "c"),
        ("A", None),
        ("B", None),
    ]
    assert rescued(raw, workspace, "pages") == [{}, {"/properties/name": "B"}, {}]


def test_what_is_nested_too_deep_or_too_wide_is_kept(workspace, load, raw):
    deep = value = {}
    for _ in range(30):
        value["a"] = {}
        value = value["a"]
    value["a"] = 1
    wide = {f"k{i}": i for i in range(2_100)}

    report = load(track(1, deep), track(2, wide))

    assert report.accepted == 2
    first, second = rescued(raw, workspace)
    ((pointer, kept),) = first.items()
    assert pointer.count("/a") == 17
    assert "a" in kept
    assert len(second) == 2_100 - 2_000
    row = raw(workspace, ROWS)[1]
    assert sum(isinstance(cell, int) for cell in row) >= 2_000


def test_nulls_and_empty_objects_make_no_columns(workspace, load, raw):
    load(track(1, {"a": None, "b": {}, "c": {"d": None}, "e": []}))

    found = raw(workspace, "select column_name from (describe raw.checked)")
    assert {"a", "b", "c", "c_d"}.isdisjoint(name for (name,) in found)
    assert raw(workspace, "select e, _rescued from raw.checked") == [("[]", None)]


def test_traits_that_are_null_are_named_in_a_column_of_ours(workspace, load, raw):
    nulls = {"plan": None, "3D view": None, "3d_view": None, "company": {"name": None, "vat": 1}}
    identify = {"type": "identify", "userId": "u"}
    load(
        {**identify, "traits": {"plan": "pro", "company": {"name": "Inc"}}},
        {**identify, "traits": nulls, "context": {"traits": nulls}},
        {"type": "group", "userId": "u", "groupId": "g", "traits": {"company": None, "vat": {}}},
        {"type": "group", "userId": "u", "groupId": "g", "traits": {"vat": "", "list": [None]}},
        {"type": "page", "userId": "u", "properties": {"title": None}},
    )

    assert raw(workspace, "select _nulls, plan from raw.identifies order by _seq") == [
        (None, "pro"),
        ('["3d_view","company_name","plan"]', None),
    ]
    assert raw(workspace, "select _nulls, vat, list from raw.groups order by _seq") == [
        ('["company"]', None, None),
        (None, "", "[null]"),
    ]
    with_column = raw(
        workspace,
        "select table_name from duckdb_columns() where column_name = '_nulls' order by table_name",
    )
    assert with_column == [("groups",), ("identifies",)]


def test_every_call_has_its_columns(workspace, load, raw):
    load(
        {"type": "group", "userId": "u", "groupId": "g", "traits": {"name": "Inc"}},
        {"type": "alias", "userId": "u", "previousId": "p"},
        {"type": "screen", "userId": "u", "name": "Home"},
        {"type": "group", "userId": "u", "groupId": ""},
    )

    assert raw(workspace, "select group_id, name from raw.groups order by _seq") == [
        ("g", "Inc"),
        (None, None),
    ]
    assert raw(workspace, "select user_id, previous_id from raw.aliases") == [("u", "p")]
    assert raw(workspace, "select name, category from raw.screens") == [("Home", None)]


def test_columns_of_a_contract_exist_before_any_event(workspace, load, raw):
    load({"type": "page", "userId": "u"})

    described = dict(
        raw(workspace, "select column_name, column_type from (describe raw.order_completed)")
    )
    assert raw(workspace, "select count(*) from raw.order_completed") == [(0,)]
    assert described["total"] == "DOUBLE"
    assert described["order_id"] == described["products"] == "VARCHAR"
    assert described["_rescued"] == "JSON"
