import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loader.event.naming import MAX_NAME_BYTES, OUR_TABLES, column_name, snake_case, table_name

CASES = json.loads((Path(__file__).parents[1] / "fixtures/naming_cases.json").read_text())["cases"]
REDSHIFT = [c for c in CASES if (c["expected"] or "").startswith("_")]  # a digit can't lead there
NAMES = [c for c in CASES if c["kind"] != "path" and c["expected"] and c not in REDSHIFT]
PATHS = [c for c in CASES if c["kind"] == "path" and c["expected"] is not None]
DISCARDED = [c for c in CASES if c["expected"] is None]  # by Segment; tests/load: kept in _rescued

any_name = st.text(max_size=400)


def as_path(dotted):
    """What `column_name` takes, from `properties.a.b` or `context.a`."""
    keys = dotted.partition(" (")[0].split(".")
    return tuple(keys[1:] if keys[0] == "properties" else keys)


@pytest.mark.parametrize("case", NAMES, ids=lambda case: ascii(case["input"]))
def test_a_name_is_cut_into_words_by_segments_rule(case):
    assert snake_case(case["input"]) == case["expected"]


@pytest.mark.parametrize("case", PATHS, ids=lambda case: case["input"])
def test_nested_keys_are_joined(case):
    assert column_name(as_path(case["input"])) == case["expected"]


def test_every_case_is_used():
    nameless = [case for case in CASES if case["expected"] == ""]
    used = [*NAMES, *PATHS, *DISCARDED, *nameless, *REDSHIFT]
    assert len(used) == len(CASES) == 62
    assert [case["input"] for case in REDSHIFT] == ["101 Account Update"]
    assert [case["input"] for case in nameless] == ["注文完了", "🎉", "!!!", "___"]
    assert [snake_case(case["input"]) for case in nameless] == [""] * 4
    assert [case["input"] for case in DISCARDED] == [
        "properties.event",
        "properties.timestamp",
        "receivedAt",
    ]


@pytest.mark.parametrize(
    ("event", "table"),
    [
        ("Заказ оформлен", "zakaz_oformlen"),
        ("注文完了", table_name("ZhuWenWanLe")),
        ("Café", "caf"),  # one ASCII letter is enough for Segment's rule
        ("Заказ №5 (VIP)", "5_vip"),
        ("Pages", "pages_event"),
        ("tracks", "tracks_event"),
        ("Loads", "loads_event"),
        ("VIOLATIONS", "violations_event"),
        ("Users", "users_event"),
        ("Pages Event", "pages_event"),
        ("'; drop table tracks; --", "drop_table_tracks"),
        ('"raw"."tracks"', "raw_tracks"),
        ("../../x", "x"),
        ("/etc/passwd", "etc_passwd"),
        ("a\x00b\nc", "a_b_c"),
        ("_seq", "seq"),
        ("2FA Enabled", "2fa_enabled"),
    ],
)
def test_an_event_has_its_table(event, table):
    assert table_name(event) == table


@pytest.mark.parametrize("event", ["", "🎉", "!!!", "___", "ƹ", "ʔ"])
def test_a_name_of_which_nothing_is_left_gets_one_from_its_hash(event):
    others = {"", "🎉", "!!!", "___", "ƹ", "ʔ"} - {event}

    assert re.fullmatch("event_[0-9a-f]{8}", table_name(event))
    assert re.fullmatch("property_[0-9a-f]{8}", column_name((event,)))
    assert table_name(event) not in map(table_name, others)


def test_a_long_name_is_cut_and_told_from_its_neighbours():
    first, second = table_name("x" * 300), table_name("x" * 299 + "y")

    assert first.startswith("x" * 91 + "_")
    assert len(first) == len(second) == 100
    assert first != second
    assert table_name("x" * 100) == "x" * 100


def test_a_nested_name_of_no_ascii_letters_keeps_its_place():
    assert column_name(("адрес", "город")) == "adres_gorod"
    assert column_name(("address", "🎉")).startswith("address_property_")


@given(any_name)
@example("\ud800")
def test_any_event_has_a_table_that_is_not_ours(event):
    table = table_name(event)

    assert re.fullmatch("[a-z0-9][a-z0-9_]*", table)
    assert len(table) <= MAX_NAME_BYTES + len("_event")
    assert table not in OUR_TABLES


@given(st.lists(any_name, min_size=1, max_size=6).map(tuple))
def test_any_path_has_a_column(path):
    column = column_name(path)

    assert re.fullmatch("[a-z0-9][a-z0-9_]*", column)
    assert len(column) <= MAX_NAME_BYTES


@given(any_name)
def test_a_name_that_was_made_stays_as_it_is(event):
    assert snake_case(snake_case(event)) == snake_case(event)
