"""The same values reach a destination as the same JSON, from DuckDB and from BigQuery."""

from decimal import Decimal

import pytest

from loader.config import Workspace
from loader.protocol import decode_json
from tests.bigquery.place import MartsPlace
from tests.sync.place import Place
from tests.twin.receiver import serving

# BigQuery's SQL, DuckDB's SQL, the value as JSON. What BigQuery alone has, DuckDB has as its like.
CASES = [
    ("numeric '14500.00'", "14500.00::decimal(18, 2)", "14500.00"),
    ("numeric '-0.1'", "-0.1::decimal(18, 2)", "-0.1"),
    (
        "cast('1234567890123456789012345678901.23457' as bignumeric)",
        "1234567890123456789012345678901.23457::decimal(38, 5)",
        "1234567890123456789012345678901.23457",
    ),
    ("bignumeric '100'", "100::decimal(38, 5)", "100"),
    ("9223372036854775807", "9223372036854775807::bigint", "9223372036854775807"),
    ("cast(0.1 as float64)", "0.1::double", "0.1"),
    ("cast(0.1 as float64) + 0.2", "0.1::double + 0.2::double", "0.30000000000000004"),
    ("1e20", "1e20::double", "1e20"),
    ("cast(3 as float64)", "3::double", "3"),
    ("cast('nan' as float64)", "'nan'::double", "null"),
    ("cast('-inf' as float64)", "'-inf'::double", "null"),
    ("cast(null as float64)", "null::double", "null"),
    ("true", "true", "true"),
    ("cast(null as bool)", "null::boolean", "null"),
    ("cast(null as numeric)", "null::decimal(9, 2)", "null"),
    ("cast(null as string)", "null::varchar", "null"),
    ("''", "''", '""'),
    ("'null'", "'null'", '"null"'),
    (r"""'q\'"q \\ 😀 Анна\n'""", r"""e'q\'"q \\ 😀 Анна\n'""", r'"q' + r"'\"q \\ 😀 Анна\n" + '"'),
    (
        "timestamp '2024-01-01 10:00:00.5+03:00'",
        "timestamptz '2024-01-01 10:00:00.5+03:00'",
        '"2024-01-01T07:00:00.5Z"',
    ),
    (
        "timestamp '2024-01-01 10:00:00.123456+00'",
        "timestamptz '2024-01-01 10:00:00.123456+00'",
        '"2024-01-01T10:00:00.123456Z"',
    ),
    (
        "timestamp '2024-01-10 10:00:00+00'",
        "timestamptz '2024-01-10 10:00:00+00'",
        '"2024-01-10T10:00:00Z"',
    ),
    ("cast(null as timestamp)", "null::timestamptz", "null"),
    ("datetime '2024-01-01 10:00:00'", "timestamp '2024-01-01 10:00:00'", '"2024-01-01T10:00:00Z"'),
    ("cast(null as datetime)", "null::timestamp", "null"),
    ("date '2024-02-29'", "date '2024-02-29'", '"2024-02-29"'),
    ("time '10:00:00'", "time '10:00:00'", '"10:00:00"'),
    ("cast(null as time)", "null::time", "null"),
    (
        """json '{"a": 1.5, "b": [null, {"c": 12345678901234567890}]}'""",
        """'{"a": 1.5, "b": [null, {"c": 12345678901234567890}]}'::json""",
        '{"a":1.5,"b":[null,{"c":12345678901234567890}]}',
    ),
    ("json 'null'", "'null'::json", "null"),
    ("cast(null as json)", "null::json", "null"),
    ("[numeric '1.10', numeric '20']", "[1.10::decimal(5, 2), 20]", "[1.10,20]"),
    ("array<float64>[]", "[]::double[]", "[]"),
    ("[3, 1, 2]", "[3, 1, 2]", "[3,1,2]"),
    (
        "struct(timestamp '2024-01-01 00:00:00+00' as moment, [numeric '1.5', numeric '2'] as n)",
        "{'moment': timestamptz '2024-01-01 00:00:00+00', 'n': [1.5::decimal(9, 2), 2]}",
        '{"moment":"2024-01-01T00:00:00Z","n":[1.5,2]}',
    ),
    (
        "[struct('x' as a, [struct(1 as b)] as c), struct('y', [struct(2 as b)])]",
        "[{'a': 'x', 'c': [{'b': 1}]}, {'a': 'y', 'c': [{'b': 2}]}]",
        '[{"a":"x","c":[{"b":1}]},{"a":"y","c":[{"b":2}]}]',
    ),
    ("b'abc'", "'YWJj'", '"YWJj"'),  # as base64, which JSON takes
]


@pytest.fixture(scope="module")
def bodies(tmp_path_factory, emulator):
    """The row that holds every value as a column, as sent from either warehouse."""
    sync = {"model": "users", "key": {"id": "id"}}
    with serving() as receiver:
        local = Place(Workspace(tmp_path_factory.mktemp("duckdb")), receiver)
        local.configure(users=dict(sync))
        columns = ", ".join(f"{sql} as v{n:02}" for n, (_, sql, _) in enumerate(CASES))
        local.publish(f"create table users as select 1 as id, {columns}")
        assert local.run().delivered == 1
        marts = MartsPlace(Workspace(tmp_path_factory.mktemp("bigquery")), emulator, receiver)
        marts.configure(users=dict(sync))
        columns = ", ".join(f"{sql} as v{n:02}" for n, (sql, _, _) in enumerate(CASES))
        marts.publish(users=f"select 1 as id, {columns}")
        report = marts.run()
        assert (report.error, report.delivered) == (None, 1)
        return [decode_json(request.body)["fields"] for request in receiver.requests]


@pytest.mark.parametrize("number", range(len(CASES)), ids=[sql for sql, _, _ in CASES])
def test_a_value_loses_nothing_and_is_the_same_from_both(bodies, number):
    name, wanted = f"v{number:02}", decode_json(CASES[number][2])

    from_duckdb, from_bigquery = (body[name] for body in bodies)

    assert from_bigquery == wanted
    assert from_duckdb == wanted


def test_numbers_are_compared_with_every_digit():
    assert decode_json("0.10") == Decimal("0.1")
    assert decode_json("1234567890123456789.12") != decode_json("1234567890123456789.13")
