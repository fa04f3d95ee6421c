"""scipy finds the components of bench.links in DATABASE and stores (node, root), root < node.

Prints the seconds that it took, reading and writing included, and the bytes beyond its imports.
"""

import json
import sys
import time
from pathlib import Path

import duckdb
import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components


def roots_of(nodes, linked_nodes):
    """The smallest node of each node's component; nodes count from 0."""
    count = int(max(nodes.max(), linked_nodes.max())) + 1
    weights = np.ones(len(nodes), dtype=np.int8)
    graph = coo_matrix((weights, (nodes, linked_nodes)), shape=(count, count))
    found, labels = connected_components(graph, directed=False)
    first = np.empty(found, dtype=np.int64)
    first[labels[::-1]] = np.arange(count - 1, -1, -1)  # the smallest is written last
    return first[labels]


def peak_bytes():
    """Of this process alone; the kernel's other number counts what its parent held."""
    status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024


with duckdb.connect(sys.argv[1]) as connection:
    connection.execute("set threads = 2")
    connection.execute("select 1").fetchnumpy()
    imported = peak_bytes()
    began = time.perf_counter()
    links = connection.execute("select node, linked_node from bench.links").fetchnumpy()
    root = roots_of(links["node"], links["linked_node"])
    node = np.arange(len(root))
    is_younger = root < node
    found = {"node": node[is_younger], "root": root[is_younger]}
    connection.execute("create or replace table bench.scipy_roots as select * from found")
    seconds = time.perf_counter() - began
print(json.dumps({"seconds": seconds, "bytes": peak_bytes() - imported}))
