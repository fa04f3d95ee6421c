"""However events are cut into loads, and whatever is applied twice, the marts are equal."""

from datetime import UTC, datetime
from itertools import count, pairwise
from typing import Any

import duckdb
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.transform.conftest import Dbt
from tests.transform.raw import day

TABLES = (
    "users",
    "user_identifiers",
    "user_traits",
    "groups",
    "user_groups",
    "group_memberships",
    "sessions",
    "events",
    "orders",
    "order_items",
    "computed_traits",
    "audience_memberships",
    "audience_big_spenders",
    "id_graph_updates",
    "profile_merges",
    "identity_demoted",
    "int_identifiers",
    "int_identity_sets",
    "int_identity_evidence",
)
INCREMENTAL = (
    "int_identifiers",
    "int_identity_sets",
    "int_identity_evidence",
    "int_identity_log",
    "int_events",
)
OF_THE_RUN = {"load_id", "computed_at"}  # which load and which run, not what happened

users = st.sampled_from([None, "u1", "u2", "u3", "u4", "null", ""])
devices = st.sampled_from([None, "a1", "a2", "a3", "a4", "a5", "anonymous", "0000-00"])
emails = st.sampled_from([None, None, "x@x.io", " X@x.io", "y@x.io"])
order_ids = st.sampled_from([None, "", "o1", "o2", "o3", "o4"])
moments = st.one_of(
    st.integers(0, 3).map(day),  # many at the same time
    st.floats(0, 30).map(day),
    st.integers(0, 9).map(lambda quarter: day(quarter / 96)),  # many in one session
)
calls = st.fixed_dictionaries(
    {
        "user_id": users,
        "anonymous_id": devices,
        "context_traits_email": emails,
        "timestamp": moments,
        "received_at": st.integers(0, 5).map(day),
    }
)


def call(table: str, **columns: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    own = st.fixed_dictionaries({"table": st.just(table), **columns})
    return st.tuples(calls, own).map(lambda parts: parts[0] | parts[1])


events = st.one_of(
    call("pages", name=st.sampled_from(["Home", "Cart"])),
    call(
        "identifies",
        email=emails,
        plan=st.sampled_from([None, "free", "pro"]),
        orders_count=st.none() | st.integers(0, 3),
        _nulls=st.sampled_from([None, None, '["plan"]', '["email","orders_count"]']),
    ),
    call(
        "groups",
        group_id=st.sampled_from([None, "g1", "g2"]),
        name=st.sampled_from([None, "A"]),
        _nulls=st.sampled_from([None, '["name"]']),
    ),
    call(
        "order_completed",
        order_id=order_ids,
        total=st.sampled_from([None, 0.1, 4000, 9999.99, 1e30]),
        currency=st.sampled_from([None, "eur", "EUR", "RUB", "no money"]),
        products=st.sampled_from([None, "[", [{"product_id": "p", "price": 1}, 7]]),
    ),
    call("order_refunded", order_id=order_ids),
    call("aliases", previous_id=users),
)


@settings(max_examples=5, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    events=st.lists(events, min_size=8, max_size=40),
    cuts=st.lists(st.floats(0, 1), min_size=1, max_size=2),
    forgotten=st.sets(st.sampled_from([*INCREMENTAL, "sessions"])),
)
def test_any_split_into_loads_gives_the_tables_of_one_load(
    dbt_process: Dbt, events, cuts, forgotten
):
    dbt = dbt_process
    events = [{**event, "_seq": seq} for seq, event in enumerate(events, start=1)]
    bounds = [0, *sorted(int(cut * len(events)) for cut in cuts), len(events)]

    dbt.start_anew()
    dbt.load(1, events)
    dbt.run("--full-refresh")
    in_one_load = tables(dbt)

    dbt.start_anew()
    for load_id, (start, end) in enumerate(pairwise(bounds), start=1):
        dbt.load(load_id, events[start:end])
        forget_applied_loads(dbt, forgotten)
        dbt.run()

    assert tables(dbt) == in_one_load


def tables(dbt: Dbt) -> dict[str, list[dict[str, Any]]]:
    """Every row of every mart, each as a dict, in one order."""
    found = {}
    for table in TABLES:
        names = [name for (name, *_) in dbt.query(f"describe analytics.{table}")]
        rows = dbt.query(f"from analytics.{table}")
        kept = [(i, name) for i, name in enumerate(names) if name not in OF_THE_RUN]
        found[table] = sorted(({name: row[i] for i, name in kept} for row in rows), key=repr)
    return found


def forget_applied_loads(dbt: Dbt, models: set[str]) -> None:
    """As if a run had died between writing these models and recording what they hold."""
    with duckdb.connect(dbt.database) as connection:
        for model in models:
            connection.execute(
                "delete from analytics.int_applied_loads where model_name = ?", [model]
            )


def test_a_load_that_only_one_model_has_applied_reaches_the_others_in_the_next_run(dbt: Dbt):
    dbt.load(1, [{"table": "pages", "_seq": 1, "anonymous_id": "a1"}])
    dbt.run()
    dbt.load(2, [{"table": "identifies", "_seq": 2, "anonymous_id": "a1", "user_id": "u1"}])
    dbt.run("--select", "int_loads", "int_identifiers")
    dbt.load(3, [{"table": "pages", "_seq": 3, "user_id": "u1"}])

    dbt.run()

    users = dbt.query("select count(*), count(distinct canonical_user_id) from analytics.events")
    assert users == [(3, 1)]


def test_a_late_event_counts_though_it_is_older_than_all_that_was_built(dbt: Dbt):
    dbt.load(1, [{"table": "pages", "_seq": 1, "anonymous_id": "a1", "timestamp": day(9)}])
    dbt.run()
    dbt.load(2, [{"table": "pages", "_seq": 2, "anonymous_id": "a1", "timestamp": day(2)}])

    dbt.run()

    seen = dbt.query("select first_seen_at, last_seen_at from analytics.users")
    assert seen == [(day(2), day(9))]


def test_times_that_can_not_be_true_stop_no_incremental_model(dbt: Dbt):
    far = datetime(2099, 1, 1, tzinfo=UTC)
    past = datetime(1970, 1, 1, tzinfo=UTC)
    loads = [
        [
            {"table": "pages", "anonymous_id": "a1", "timestamp": day(1)},
            {"table": "order_completed", "user_id": "u1", "order_id": "o1", "timestamp": far},
            {"table": "order_completed", "user_id": "u1", "order_id": "o2", "timestamp": past},
            # As a load files it: what was received in the future lies in the load's day.
            {"table": "identifies", "user_id": "u2", "received_at": far, "_date": day(1).date()},
            {"table": "pages", "anonymous_id": "a2", "received_at": past, "_date": past.date()},
        ],
        [
            {"table": "identifies", "anonymous_id": "a1", "user_id": "u1", "timestamp": day(2)},
            {"table": "order_completed", "user_id": "u1", "order_id": "o1", "timestamp": day(2)},
            {"table": "pages", "anonymous_id": "a2", "user_id": "u2", "timestamp": day(2)},
        ],
    ]
    seqs = count(1)
    for load_id, events in enumerate(loads, start=1):
        flags = "future_timestamp" if load_id == 1 else None
        dbt.load(load_id, [{"_flags": flags, **event, "_seq": next(seqs)} for event in events])
        dbt.run()
    built_by_load = tables(dbt)

    dbt.run("--full-refresh")

    assert len(built_by_load["events"]) == 8
    assert len(built_by_load["users"]) == 2
    assert tables(dbt) == built_by_load
