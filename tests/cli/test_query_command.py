import io
import sys

import pytest


def test_json_is_an_array_with_an_object_a_row(headwater, workspace):
    ended = headwater(
        "query",
        "select 1 as a, 1.5::decimal(4,1) as b, null as c union all select 2, 2, 'x' order by a",
        "--json",
    )

    assert ended.document == [
        {"a": 1, "b": 1.5, "c": None},
        {"a": 2, "b": 2.0, "c": "x"},
    ]


def test_times_are_utc_and_json_has_no_nan(headwater, workspace):
    query = "select 'nan'::double as a, timestamptz '2025-03-04 10:00:00+02' as b"

    ended = headwater("query", query, "--json")

    assert ended.document == [{"a": None, "b": "2025-03-04T08:00:00Z"}]


def test_csv_has_a_header(headwater, workspace):
    ended = headwater("query", "select 1 as a, 'x,y' as b", "--csv")

    assert ended.out == 'a,b\n1,"x,y"\n'


def test_sql_is_read_from_standard_input_for_a_dash(headwater, workspace, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("select 7 as seven"))

    assert headwater("query", "-", "--json").document == [{"seven": 7}]


def test_rows_beyond_the_limit_are_left_out_and_that_is_said(headwater, workspace):
    ended = headwater("query", "select * from range(10)", "--limit", "3", "--csv")

    assert ended.out.splitlines() == ["range", "0", "1", "2"]
    assert "only the first 3 rows" in ended.err


def test_a_result_of_exactly_the_limit_is_whole(headwater, workspace):
    ended = headwater("query", "select * from range(3)", "--limit", "3", "--csv")

    assert ended.err == ""


def test_text_that_a_terminal_would_obey_is_escaped(headwater, workspace):
    ended = headwater("query", "select '[red]' || chr(27) || '[2J' as trick")

    assert "\x1b" not in ended.out
    assert r"[red]\x1b[2J" in ended.out


def test_a_wide_table_is_not_cut_in_a_pipe(headwater, workspace):
    ended = headwater("query", "select repeat('x', 500) as wide")

    assert "x" * 500 in ended.out


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("create table raw.mine as select 1", "only reads"),
        ("delete from raw.tracks", "check the statement"),
        ("select * from nothing_of_the_kind", "`headwater status` lists"),
        ("selec 1", "single quotes"),
    ],
)
def test_a_statement_that_fails_says_what_to_do(headwater, workspace, query, hint):
    ended = headwater("query", query)

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error: query: ")
    assert hint in ended.err


def test_every_raw_table_answers_before_the_first_load(headwater, workspace):
    tables = ("tracks", "identifies", "pages", "screens", "groups", "aliases", "violations")
    counts = ", ".join(f"(select count(*) from raw.{table}) as {table}" for table in tables)

    ended = headwater("query", f"select {counts}", "--json")

    assert ended.document == [dict.fromkeys(tables, 0)]
