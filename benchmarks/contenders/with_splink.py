"""Splink finds the components of bench.links in DATABASE; prints as with_scipy does."""

import json
import sys
import time
from pathlib import Path

import duckdb
from splink import DuckDBAPI
from splink.clustering import cluster_pairwise_predictions_at_threshold


def peak_bytes():
    """Of this process alone; the kernel's other number counts what its parent held."""
    status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024


with duckdb.connect(sys.argv[1]) as connection:
    connection.execute("set threads = 2")
    connection.execute(
        "create or replace temp table links as select node as node_l, linked_node as node_r,"
        " 1.0 as match_probability from bench.links"
    )
    connection.execute(
        "create or replace temp table nodes as"
        " select node_l as node from links union select node_r from links"
    )
    database = DuckDBAPI(connection=connection)
    imported = peak_bytes()
    began = time.perf_counter()
    clusters = cluster_pairwise_predictions_at_threshold(
        connection.table("nodes"),
        connection.table("links"),
        database,
        "node",
        edge_id_column_name_left="node_l",
        edge_id_column_name_right="node_r",
    )
    seconds = time.perf_counter() - began
    connection.execute(
        "create or replace table bench.splink_roots as select node, cluster_id as root"
        f" from {clusters.physical_name} where cluster_id < node"
    )
print(json.dumps({"seconds": seconds, "bytes": peak_bytes() - imported}))
