"""Columns, types and what is rescued agree with a plain model, however the input is cut."""

import json
from datetime import UTC, datetime

import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loader.config import Workspace
from loader.load.room import Room
from loader.load.rows import RowWriter
from loader.warehouse import Catalog, LakeWriter
from loader.warehouse.catalog import fixed_columns
from tests.load.oracle import BODIES, Oracle, alike, same

NOW = datetime(2026, 1, 1, tzinfo=UTC)

numbers = st.sampled_from([0, 1, 7, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 10**30])
fractions = st.sampled_from([1.0, 1.5, 2.0, 1e300, float(2**53)])
texts = st.sampled_from(["", "a", "5", "2024-05-01T10:00:00Z", "2024-05-01T10:00:00.5+03:00"])
scalars = st.none() | st.booleans() | numbers | fractions | texts
values = scalars | st.lists(st.integers() | texts | st.booleans(), max_size=2)
names = st.sampled_from(
    [
        "a",
        "b",
        "priceUSD",
        "price_usd",
        "Price USD",
        "id",
        "timestamp",
        "date",
        "loadId",
        "event",
        "context_ip",
        "context",
        "~/x",
        "заказ",
        "name",
        "path",
        "user_id",
        "group_id",
        "🎉",
    ]
)
objects = st.recursive(
    st.dictionaries(names, values, max_size=5),
    lambda inner: st.dictionaries(names, inner | values, max_size=3),
    max_leaves=4,
)
contexts = st.dictionaries(
    st.sampled_from(["ip", "app", "App", "locale", "traits"]),
    values | st.dictionaries(st.sampled_from(["a", "b"]), values, max_size=2),
    max_size=3,
)


@st.composite
def events(draw):
    call = draw(st.sampled_from(["track", "track", "page", "identify", "group"]))
    event = {"type": call, "userId": "u", "properties": {}, "traits": {}, "integrations": {}}
    event |= {"context": draw(contexts), BODIES[call]: draw(objects)}
    if call == "track":
        event["event"] = draw(st.sampled_from(["Order Completed", "order_completed", "Other"]))
    if call == "page":
        event["name"] = draw(st.sampled_from([None, "a", 5]))
    return {**event, "extra": draw(st.none() | scalars)}


@st.composite
def number_events(draw):
    """Little but numbers in two columns, so that every order of widths and fractions comes up."""
    call = {"type": "track", "event": "Other", "userId": "u", "traits": {}, "integrations": {}}
    number = st.sampled_from([None, 1, 2**53, 2**53 + 1, 2**63, 2.0, 1.5, 1e300])
    return {**call, "properties": {"a": draw(number)}, "context": {"app": draw(number)}}


# After each event: nothing, the end of a chunk, or the end of a load.
cuts = st.sampled_from(["", "", "", "chunk", "load"])


def write(workspace, steps):
    """Write the events in loads and chunks cut as `steps` say; the files and the catalog."""
    catalog, files = Catalog(), []
    writer = None
    for seq, (event, cut) in enumerate(steps):
        if writer is None:
            lake = LakeWriter(workspace, len(files) + 1)
            writer = RowWriter(lake, catalog, Room(catalog, 1_000), load_id=1, now=NOW)
        writer.add({**event, "messageId": f"m{seq}"}, seq, "file", {})
        if cut == "chunk":
            writer.flush()
        if cut == "load" or seq == len(steps) - 1:
            writer.flush()
            writer.write()
            lake.place()
            files += lake.files()
            catalog = Catalog.from_json(json.loads(json.dumps(catalog.to_json())))
            writer = None
    return files, catalog


def read(workspace, files, catalog):
    """Each table's rows by id, as readers see them: of the types that the catalog ends with."""
    tables = {}
    for file in files:
        kinds = {name: kind for name, (_, kind) in catalog.columns_of(file.table_name).items()}
        with pq.ParquetFile(workspace.lake / file.file) as stored:
            for row in stored.read().to_pylist():
                tables.setdefault(file.table_name, {})[row["id"]] = {
                    name: float(value) if kinds[name] == "float" and value is not None else value
                    for name, value in row.items()
                }
    return tables


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(st.tuples(events(), cuts), min_size=1, max_size=16))
def test_tables_are_as_if_events_had_come_singly(tmp_path_factory, steps):
    check(Workspace(tmp_path_factory.mktemp("settle")), steps)


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(st.tuples(number_events(), cuts), min_size=2, max_size=8))
def test_numbers_widen_as_if_events_had_come_singly(tmp_path_factory, steps):
    check(Workspace(tmp_path_factory.mktemp("numbers")), steps)


def check(workspace, steps):
    oracle = Oracle()
    for seq, (event, _) in enumerate(steps):
        oracle.take({**event, "messageId": f"m{seq}"})

    files, catalog = write(workspace, steps)

    tables = read(workspace, files, catalog)
    assert {table: set(rows) for table, rows in tables.items()} == {
        table: set(rows) for table, rows in oracle.rows.items()
    }
    for table, rows in tables.items():
        for id_, row in rows.items():
            expected = oracle.rows[table][id_]
            added = {name: v for name, v in row.items() if name not in fixed_columns(table)}
            for name in added.keys() | expected.keys():
                wanted, found = expected.get(name), added.get(name)
                assert same(oracle.type_of(table, name), wanted, found), (table, id_, name)
            assert alike(json.loads(row["_rescued"] or "{}"), oracle.rescued[table][id_])
            nulls = json.loads(row.get("_nulls") or "[]")
            assert nulls == oracle.nulls.get((table, id_), []), (table, id_)
    for (scope, name), known in oracle.types.items():
        state = catalog.context[name] if scope == "" else catalog.state_of(scope, name)
        assert state is not None, (scope, name)
        assert state.type == known, (scope, name)
