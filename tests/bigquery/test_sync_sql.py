"""A second reading of what syncs say to BigQuery: its grammar, by another parser."""

import pytest
import sqlglot
from google.cloud.bigquery import SchemaField

from loader.sync.bigquery_json import json_sql
from loader.sync.bigquery_marts import _DIFF

KINDS = [
    *("STRING", "BYTES", "INTEGER", "FLOAT", "BOOLEAN", "NUMERIC", "BIGNUMERIC", "JSON"),
    *("TIMESTAMP", "DATETIME", "DATE", "TIME", "GEOGRAPHY", "INTERVAL"),
]


@pytest.mark.parametrize("mode", ["NULLABLE", "REPEATED"])
@pytest.mark.parametrize("kind", [*KINDS, "RECORD"])
def test_a_value_of_any_type_is_written_in_bigquerys_grammar(kind, mode):
    inner = [SchemaField("a b", "STRING", mode="REPEATED"), SchemaField("at", "TIMESTAMP")]
    field = SchemaField("v", kind, mode=mode, fields=inner if kind == "RECORD" else ())

    value = json_sql("relation.`v`", field)
    statement = _DIFF.format(
        diff="`p.headwater.diff`", rows=f"select {value} as key from t", accepted="`p.headwater.a`"
    )

    [parsed] = sqlglot.parse(statement, dialect="bigquery")
    assert isinstance(parsed, sqlglot.exp.Create)
