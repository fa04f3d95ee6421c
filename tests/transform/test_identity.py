"""Linked identifiers become one user, however long the way between them is."""

import json
import random
from collections import defaultdict
from hashlib import md5

import duckdb

from tests.transform.conftest import Dbt
from tests.transform.raw import Event

UNLIMITED = {
    "identifiers": {
        "user_id": {"limit": 10_000, "window": "ever"},
        "*": {"limit": 10_000, "window": "ever"},
    },
    "custom": [],
    "blocked": [],
    "max_merges": 10_000,
    "max_mappings": 10_000,
}


def test_chains_hubs_and_tangles_of_identifiers_are_one_user_each(dbt: Dbt):
    events = [
        *chain("sorted", range(40)),
        *chain("shuffled", random.Random(1).sample(range(40), 40)),
        *({"table": "pages", "anonymous_id": "kiosk", "user_id": f"visitor{i}"} for i in range(60)),
        *tangle(random.Random(2)),
        {"table": "pages", "anonymous_id": "alone"},
    ]
    random.Random(3).shuffle(events)
    events = [{**event, "_seq": seq} for seq, event in enumerate(events, start=1)]

    dbt.load(1, events)
    dbt.run("--full-refresh", "--vars", json.dumps({"identity": UNLIMITED}))

    found = dbt.query("select type, value, canonical_user_id from analytics.user_identifiers")
    assert {(kind, value): user for kind, value, user in found} == union_find(events)


def test_a_merge_reaches_events_of_the_past_and_the_older_user_stays(dbt: Dbt):
    dbt.load(
        1,
        [
            {"table": "pages", "_seq": 1, "id": "old", "anonymous_id": "a1"},
            {"table": "pages", "_seq": 2, "id": "young", "anonymous_id": "a2"},
        ],
    )
    dbt.run()
    before = dict(dbt.query("select id, canonical_user_id from analytics.events"))
    dbt.load(
        2,
        [
            {"table": "identifies", "_seq": 3, "anonymous_id": "a2", "email": "J@x.io"},
            {"table": "pages", "_seq": 4, "anonymous_id": "a1", "context_traits_email": "j@x.io"},
        ],
    )

    dbt.run()

    after = dict(dbt.query("select id, canonical_user_id from analytics.events"))
    assert before["old"] != before["young"]
    assert set(after.values()) == {before["old"]}
    assert dbt.query("select load_id from analytics.int_events where id = 'young'") == [(1,)]


def test_other_rules_are_refused_until_a_full_refresh(dbt: Dbt):
    dbt.load(1, [{"table": "pages", "_seq": 1, "anonymous_id": "a1", "user_id": "u1"}])
    dbt.run()
    other_rules = ("--vars", json.dumps({"identity": UNLIMITED}))

    [failed] = dbt.failures(*other_rules)

    assert "int_identity_rules" in failed
    assert "headwater transform -- --full-refresh" in failed
    dbt.run("--full-refresh", *other_rules)


def test_the_test_of_linked_identifiers_sees_a_link_between_two_users(dbt: Dbt):
    dbt.load(1, [{"table": "pages", "_seq": 1, "anonymous_id": "a1", "user_id": "u1"}])
    dbt.run()
    with duckdb.connect(dbt.database) as connection:
        connection.execute(
            "insert into analytics.int_profiles values (99, 'other', 99, 'other');"
            "update analytics.int_identity_log set profile = 99 where kind = 'attach' and node = 2"
        )

    failed = dbt.test("linked_identifiers_are_one_user")

    assert len(failed) == 1


def chain(name: str, order) -> list[Event]:
    """Pages that link user 0 to device 0 to user 1 to device 1 and so on; ids number in `order`."""
    ids = [f"{name}{number:02}" for number in order]
    return [
        {"table": "pages", "user_id": ids[i], "anonymous_id": ids[j]}
        for i in range(len(ids))
        for j in (i - 1, i)
        if j >= 0
    ]


def tangle(chance: random.Random) -> list[Event]:
    return [
        {
            "table": "pages",
            "user_id": f"t{chance.randrange(40)}",
            "anonymous_id": f"t{chance.randrange(40)}",
        }
        for _ in range(45)
    ]


def union_find(events: list[Event]) -> dict[tuple[str, str], str]:
    """Each identifier's user, by plain Python: the hash of the oldest identifier in its set."""
    order: list[tuple[str, str]] = []
    linked: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for event in events:
        carried = [(k, event[k]) for k in ("anonymous_id", "user_id") if k in event]
        order += [identifier for identifier in carried if identifier not in linked]
        for identifier in carried:
            linked[identifier] |= set(carried)
    users: dict[tuple[str, str], str] = {}
    for oldest in order:
        reached = [oldest] if oldest not in users else []
        name = md5(":".join(oldest).encode(), usedforsecurity=False).hexdigest()
        while reached:
            identifier = reached.pop()
            users[identifier] = name
            reached += [other for other in linked[identifier] if other not in users]
    return users
