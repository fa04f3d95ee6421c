"""`headwater query` on BigQuery: the same output, and only reading."""

import pytest

from loader.cli import main
from loader.query import run_query
from tests.bigquery.place import users


@pytest.fixture
def query(marts, capsys):
    marts.publish(users=users(("a@x", "free", 1), ("b@x", "pro", 2), ("c@x", "pro", 3)))

    def run(*arguments):
        code = main(["query", *arguments, "--workspace", str(marts.workspace.root)])
        written = capsys.readouterr()
        return code, written.out, written.err

    return run


def test_marts_go_by_their_plain_name(query):
    code, out, err = query(
        "select email, orders from users order by email", "--csv", "--limit", "2"
    )

    assert (code, out) == (0, "email,orders\na@x,1\nb@x,2\n")
    assert "only the first 2 rows" in err


def test_values_are_written_as_from_duckdb(query):
    asked = (
        "select timestamp '2025-03-04 10:00:00+02' as t, 1.5 as n, date '2025-03-04' as d,"
        """ json '{"a": [1, null]}' as j, cast(null as string) as x, [1, 2] as l"""
    )

    _, out, _ = query(asked, "--json")

    assert out == (
        '[{"t":"2025-03-04T08:00:00Z","n":1.5,"d":"2025-03-04","j":"{\\"a\\":[1,null]}",'
        '"x":null,"l":[1,2]}]\n'
    )


@pytest.mark.parametrize(
    "statement",
    [
        "create table mine as select 1 as a",
        "delete from users where true",
        "drop table users",
        "insert into users values ('x', 'y', 1)",
        "select 1; select 2",
    ],
)
def test_whatever_is_no_select_is_refused_and_not_run(query, marts, statement):
    code, out, err = query(statement)

    assert (code, out) == (1, "")
    assert "only reads" in err
    assert len(run_query(marts.workspace, "select * from users", max_rows=9).rows) == 3
    names = {table.table_id for table in marts.bigquery.client.list_tables(marts.dataset)}
    assert names == {"users"}


@pytest.mark.parametrize(
    ("statement", "hint"),
    [("selec 1", "check the statement"), ("select * from nothing", "`headwater status` lists")],
)
def test_a_statement_that_fails_says_what_to_do(query, statement, hint):
    _, out, err = query(statement)

    assert out == ""
    assert err.startswith("error: query: ")
    assert hint in err


def test_a_query_carries_the_bound_on_its_bytes(marts):
    marts.configure(warehouse={"maximum_bytes_billed": 10_000_000})

    job = marts.bigquery.query("select 1 as a")

    assert job.maximum_bytes_billed == 10_000_000
