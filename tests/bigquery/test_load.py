"""Loads into BigQuery: what comes to stand there, and that it does once."""

from tests.bigquery.conftest import query
