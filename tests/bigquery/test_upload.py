"""What is sent of a part."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loader.warehouse.bigquery.upload import prepare, storable_json


@pytest.mark.parametrize(
    "document",
    [
        '{"a":1,"b":-1.5,"c":[true,null,"x"]}',
        '{"n":18446744073709551615}',
        '{"n":-9223372036854775808}',
        '{"n":0.1}',
        '{"n":1e300}',
        '{"n":100000000000000000000}',
        '"\\ud83d\\ude00"',
        "null",
    ],
)
def test_json_that_bigquery_holds_stays_as_it_is(document):
    assert storable_json(document) == document


@pytest.mark.parametrize(
    ("document", "stored"),
    [
        ('{"n":18446744073709551616123}', '"{\\"n\\":18446744073709551616123}"'),
        ('{"n":0.12345678901234567890123}', '"{\\"n\\":0.12345678901234567890123}"'),
        ('{"n":1e400}', '"{\\"n\\":1e400}"'),
        ('"\\ud800"', '"\\"\\\\ud800\\""'),
        ("{", '"{"'),
        ('{"n":NaN}', '"{\\"n\\":NaN}"'),
    ],
)
def test_json_that_bigquery_would_change_becomes_a_string_of_its_text(document, stored):
    assert storable_json(document) == stored


def write(path, **columns):
    pq.write_table(pa.table(columns), path)
    return path


def test_the_only_file_that_fits_is_sent_as_it_is(tmp_path):
    file = write(tmp_path / "a.parquet", id=["x"], n=[1])

    sent = prepare([file], tmp_path / "draft", {"id": "STRING", "n": "INTEGER"}, as_json=False)

    assert sent == file


def test_several_files_become_one_typed_as_the_table_is(tmp_path):
    first = write(tmp_path / "a.parquet", id=["x"], n=[1])
    second = write(tmp_path / "b.parquet", id=["y"], n=[1.5], extra=["z"])
    columns = {"id": "STRING", "n": "FLOAT", "extra": "STRING", "other": "STRING"}

    sent = prepare([first, second], tmp_path / "draft", columns, as_json=False)

    found = pq.read_table(sent).sort_by("id").to_pylist()
    assert found == [{"id": "x", "n": 1.0, "extra": None}, {"id": "y", "n": 1.5, "extra": "z"}]


def test_a_file_of_before_a_column_widened_is_written_anew(tmp_path):
    file = write(tmp_path / "a.parquet", n=[1])

    sent = prepare([file], tmp_path / "draft", {"n": "FLOAT"}, as_json=False)

    assert pq.read_schema(sent).field("n").type == pa.float64()


def test_json_is_made_storable_where_it_is_taken_for_json(tmp_path):
    file = write(tmp_path / "a.parquet", _rescued=['{"a":1}', '{"n":1e400}', None])

    sent = prepare([file], tmp_path / "draft", {"_rescued": "JSON"}, as_json=True)

    assert pq.read_table(sent)["_rescued"].to_pylist() == ['{"a":1}', '"{\\"n\\":1e400}"', None]
