"""A value of the warehouse reaches the destination as it is."""

import pytest

from loader.config import Workspace
from tests.sync.place import Place
from tests.twin.receiver import serving

CASES = {
    "14500.00::decimal(18, 2)": "14500.00",
    "12345678901234567890123456789012345.67::decimal(38, 2)": (
        "12345678901234567890123456789012345.67"
    ),
    "9223372036854775807::bigint": "9223372036854775807",
    "-170141183460469231731687303715884105727::hugeint": "-170141183460469231731687303715884105727",
    "0.1::double": "0.1",
    "1e20::double": "1E+20",
    "5e-324::double": "5E-324",
    "1.1::float": "1.1",
    "'nan'::double": "null",
    "'-inf'::double": "null",
    "true": "true",
    "null::varchar": "null",
    "''": '""',
    "timestamptz '2024-01-01 10:00:00.5+03:00'": '"2024-01-01T07:00:00.5Z"',
    "timestamp '2024-01-01 10:00:00'": '"2024-01-01T10:00:00Z"',
    "'2024-01-01 10:00:00.123456789'::timestamp_ns": '"2024-01-01T10:00:00.123456789Z"',
    "timestamptz 'infinity'": "null",
    "date '2024-02-29'": '"2024-02-29"',
    "time '10:00:00'": '"10:00:00"',
    "uuid '8ab636c3-44cf-48e0-ae6f-bfdf53a6cd42'": '"8ab636c3-44cf-48e0-ae6f-bfdf53a6cd42"',
    "'pro'::enum('free', 'pro')": '"pro"',
    """'{"a": 1.10, "b": [null, {"c": 12345678901234567890}]}'::json""": (
        '{"a":1.10,"b":[null,{"c":12345678901234567890}]}'
    ),
    "'null'::json": "null",
    "[1.10::decimal(5, 2), null]": "[1.10,null]",
    "[]::double[]": "[]",
    "null::varchar[]": "null",
    "['nan'::double, 1.5]": "[null,1.5]",
    "[['a'], []]": '[["a"],[]]',
    "{'at': timestamp '2024-01-01 00:00:00', 'n': [1.50::decimal(9, 2)]}": (
        '{"at":"2024-01-01T00:00:00Z","n":[1.50]}'
    ),
    "map {'a\"b': 1.10::decimal(5, 2), 'c': null}": '{"a\\"b":1.10,"c":null}',
    "[1, 2]::integer[2]": "[1,2]",
}


@pytest.fixture(scope="module")
def bodies(tmp_path_factory):
    """The text of each value as sent: all of them are columns of one row."""
    with serving() as receiver:
        place = Place(Workspace(tmp_path_factory.mktemp("values")), receiver)
        columns = ", ".join(f"{sql} as v{n:02}" for n, sql in enumerate(CASES))
        place.configure(users={"model": "users", "key": {"id": "id"}})
        place.publish(f"create table users as select 1 as id, {columns}")
        assert place.run().delivered == 1
        return receiver.requests[0].body.decode()


@pytest.mark.parametrize("number", range(len(CASES)), ids=list(CASES))
def test_a_value_loses_nothing(bodies, number):
    wanted = list(CASES.values())[number]

    assert f'"v{number:02}":{wanted}' in bodies
    assert bodies.split(f'"v{number:02}":{wanted}')[1][0] in ",}"
