"""Events whose traits, groups and sessions are known, and a check of what the models make of them.

The first four are the worked cases 19, 20, 23 and 29 of Segment's rules, by the numbers in their
identifiers.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Ask = Callable[[str], list[tuple[Any, ...]]]


def identify(day: int, traits: dict[str, Any], **ids: Any) -> dict[str, Any]:
    return {"type": "identify", "timestamp": f"2026-01-{day:02}T10:00:00Z", "traits": traits, **ids}


def group(day: int, user: str, group_id: str, traits: dict[str, Any]) -> dict[str, Any]:
    return {**identify(day, traits, userId=user), "type": "group", "groupId": group_id}


EVENTS = [
    # conflicting traits: the newest wins after a merge
    identify(1, {"email": "19@x.io", "plan": "free", "city": "Oslo"}, anonymousId="19a1"),
    identify(5, {"plan": "pro"}, anonymousId="19a2"),
    identify(6, {"email": "19@x.io"}, anonymousId="19a2"),
    # null removes a trait, "" does not
    identify(1, {"plan": "pro", "note": "x"}, userId="20u1"),
    identify(2, {"plan": None, "note": ""}, userId="20u1"),
    # one user, several accounts
    group(1, "23u1", "23g1", {"name": "Initech"}),
    group(2, "23u1", "23g2", {"name": "Globex"}),
    group(3, "23u2", "23g1", {"plan": "enterprise"}),
    # a late event does not overwrite a newer trait
    identify(10, {"plan": "pro"}, userId="29u1"),
    identify(2, {"plan": "free", "city": "Oslo"}, userId="29u1"),
    # a late value does not bring back what was deleted; what is newer does
    identify(3, {"plan": None, "2fa": None, "company": {"name": None}}, userId="30u1"),
    identify(2, {"plan": "pro", "2fa": True, "company": {"name": "Inc", "size": 5}}, userId="30u1"),
    identify(4, {"city": None}, userId="30u1"),
    identify(5, {"city": "Rome", "langs": ["en", "it"]}, userId="30u1"),
    # context.traits identify, and set nothing
    {
        **identify(6, {}, userId="30u1"),
        "context": {"traits": {"plan": "gold", "city": None, "email": "30@x.io"}},
    },
    # of groups too; an overlong groupId names none
    group(4, "31u1", "31g1", {"name": "Hooli", "plan": "basic"}),
    group(6, "31u1", "31g2", {}),
    group(8, "31u1", "31g1", {"plan": None, "name": ""}),
    group(9, "31u1", "g" * 501, {"name": "Long"}),
    *[
        {"type": "page", "timestamp": f"2026-01-{day:02}T12:00:00Z", "userId": "31u1"}
        for day in (3, 5, 7, 9)
    ],
]


def write_events(path: Path) -> str:
    """EVENTS as a file to load."""
    lines = [
        json.dumps({**event, "messageId": f"e{number}", "receivedAt": event["timestamp"]})
        for number, event in enumerate(EVENTS)
    ]
    path.write_text("\n".join(lines))
    return str(path)


def check(ask: Ask, groups: str = "groups") -> None:
    """Whether users, traits, groups and sessions are as they should be.

    `groups` is how SQL names the table: BigQuery reserves the word.
    """
    traits = [
        ("19a2", "city", "Oslo", "e0"),
        ("19a2", "email", "19@x.io", "e2"),
        ("19a2", "plan", "pro", "e1"),
        ("20u1", "note", "", "e4"),
        ("29u1", "city", "Oslo", "e9"),
        ("29u1", "plan", "pro", "e8"),
        ("30u1", "city", "Rome", "e13"),
        ("30u1", "company_size", "5", "e11"),
        ("30u1", "langs", '["en","it"]', "e13"),
    ]
    named = "(select canonical_user_id, max(value) as who from user_identifiers group by 1)"
    assert traits == ask(
        f"select who, name, traits.value, event_id from user_traits as traits join {named} as named"
        " on named.canonical_user_id = traits.canonical_user_id order by who, name"
    )
    listed = ("city", "email", "plan", "note", "company_name", "company_size", "langs")
    for who, *values in ask(
        f"select who, {', '.join(listed)} from users join {named} as named"
        " on named.canonical_user_id = users.canonical_user_id"
    ):
        wanted = {name: value for user, name, value, _ in traits if user == who}
        found = {n: str(v) for n, v in zip(listed, values, strict=True) if v is not None}
        assert found == wanted, who
    _check_groups(ask, groups, named)


def _check_groups(ask: Ask, groups: str, named: str) -> None:
    assert ask(f"select group_id, name, plan from {groups} order by group_id") == [
        ("23g1", "Initech", "enterprise"),
        ("23g2", "Globex", None),
        ("31g1", "", None),
        ("31g2", None, None),
    ]
    assert ask(
        f"select who, group_id from user_groups as belongs join {named} as named"
        " on named.canonical_user_id = belongs.canonical_user_id order by who, group_id"
    ) == [
        *[("23u1", "23g1"), ("23u1", "23g2"), ("23u2", "23g1")],
        *[("31u1", "31g1"), ("31u1", "31g2")],
    ]
    assert ask("select group_id, events from sessions order by started_at") == [
        *[(None, 1), ("31g1", 1), ("31g2", 1), ("31g1", 1)]
    ]
