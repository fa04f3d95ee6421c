"""Graphs of identifiers and the calls that carry them, from numpy, the same for the same seed."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tests.transform.raw import create_tables

Nodes = npt.NDArray[np.int64]
Links = tuple[Nodes, Nodes]
_STEP_MICROSECONDS = 240_000  # ten million calls in four weeks


def identity_links(links: int, seed: int = 7) -> Links:
    """People and what they are seen with, about as many identifiers as links, in order of arrival.

    Each link is there once; one in a hundred joins a person and what is another's.
    """
    random = np.random.default_rng(seed)
    people = int(links * 0.4)
    drawn = int(links * 2.2)
    person = random.integers(0, people, drawn)
    owner = np.where(random.random(drawn) < 0.01, random.integers(0, people, drawn), person)
    thing = owner * 3 + random.integers(0, 3, drawn)
    distinct = np.unique(person * (people * 3) + thing)
    chosen = random.permutation(distinct)[:links]
    return by_arrival(chosen // (people * 3), chosen % (people * 3) + people)


def by_arrival(nodes: Nodes, linked_nodes: Nodes) -> Links:
    """The same links between nodes that are numbered, from 0, as they first come up."""
    mixed = np.column_stack((nodes, linked_nodes)).ravel()
    _, first, inverse = np.unique(mixed, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    pairs = rank[inverse].reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def kiosk(nodes: int) -> Links:
    return np.arange(1, nodes), np.zeros(nodes - 1, dtype=np.int64)


def path(nodes: int) -> Links:
    return np.arange(1, nodes), np.arange(nodes - 1)


def store_links(database: Path, make: Callable[[int], Links], links: int) -> None:
    """As bench.links of a DuckDB file, the younger node of each first."""
    nodes, linked_nodes = make(links)
    found = {
        "node": np.maximum(nodes, linked_nodes),
        "linked_node": np.minimum(nodes, linked_nodes),
    }
    with duckdb.connect(database) as connection:
        connection.execute("create schema if not exists bench")
        connection.register("found", found)
        connection.execute("create or replace table bench.links as select * from found")


def empty_warehouse(database: Path) -> None:
    create_tables(database)


def store_calls(database: Path, load_id: int, **identifiers: Nodes) -> None:
    """Adds calls to raw.identifies as one load; a number below 0 says that there is no identifier.

    `identifiers`: user_id, anonymous_id, email, an array each, in order of arrival.
    """
    count = len(next(iter(identifiers.values())))
    found = pa.table({"number": np.arange(count), **identifiers})
    told = {
        "user_id": "'u' || user_id",
        "anonymous_id": "'a' || anonymous_id",
        "email": "'e' || email || '@x.io'",
    }
    texts = {
        name: f"case when {name} >= 0 then {told[name]} end" if name in identifiers else "null"
        for name in told
    }
    listed = ", ".join(f"{text} as {name}" for name, text in texts.items())
    with duckdb.connect(database) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("found", found)
        [(start,)] = connection.execute(
            "select coalesce(max(_seq), 0) from raw.identifies"
        ).fetchall()
        connection.execute(
            f"""
            insert into raw.identifies by name
            select
                'm' || _seq as id,
                *,
                received_at as timestamp,
                cast(received_at as date) as _date,
                'web' as source_id,
                {load_id} as load_id
            from (
                select
                    {start} + number + 1 as _seq,
                    {listed},
                    timestamptz '2026-03-01 00:00:00+00'
                    + to_microseconds(({start} + number) * {_STEP_MICROSECONDS}) as received_at
                from found
            )
            """
        )
        connection.execute(
            f"""
            insert into raw.loads
            select {load_id}, timestamptz '2026-04-01 00:00:00+00', 'identifies',
                list(distinct _date), count(*), {load_id}, min(_seq)
            from raw.identifies where load_id = {load_id}
            """
        )


def crowded_calls(events: int, seed: int = 7) -> dict[str, Nodes]:
    """Calls in which limits are broken everywhere.

    A kiosk of 40,000 people, e-mails of which one in a hundred is given again to somebody else,
    shared devices, and people with more devices than the limit.
    """
    random = np.random.default_rng(seed)
    people = events // 5
    person = random.integers(0, people, events)
    device = person * 8 + random.integers(0, 8, events)  # eight, where five are allowed
    borrowed = random.random(events) < 0.02
    device = np.where(borrowed, random.integers(0, people * 8, events), device)
    email = np.where(random.random(events) < 0.3, person, -1)
    recycled = (email >= 0) & (random.random(events) < 0.01)
    email = np.where(recycled, random.integers(0, people, events), email)
    is_known = random.random(events) < 0.8
    user = np.where(is_known | (email >= 0), person, -1)
    kiosk_people = min(40_000, people)
    at_kiosk = random.permutation(events)[:kiosk_people]
    user[at_kiosk] = np.arange(kiosk_people)
    device[at_kiosk] = people * 8  # one device for all of them
    return {"user_id": user, "anonymous_id": device, "email": email}
