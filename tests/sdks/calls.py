"""Calls that the server SDKs are told to make, as events; `context.test.n` tells them apart."""

from typing import Any

from tests.sdks.stand import Row, columns_of, is_same

DETAILS = {
    "plan": "pro",
    "seats": 25,
    "price": 29.5,
    "isTrial": False,
    "Имя": "Иван 🎉",
    "startedAt": "2024-01-15T10:00:00.000Z",
    "company": {"id": "company_abc", "address": {"city": "Kazan"}},
    "tags": ["a", {"b": [1, 2.5, None]}],
    "nothing": None,
    "empty": {},
}
_SHAPES: list[dict[str, Any]] = [
    {"type": "track", "event": "Seat Added", "properties": DETAILS},
    {"type": "identify", "traits": DETAILS | {"email": "ivan@example.com"}},
    {"type": "page", "name": "Listing", "category": "Product", "properties": DETAILS},
    {"type": "screen", "name": "Cart", "category": "Shop", "properties": DETAILS},
    {"type": "group", "groupId": "company_abc", "traits": DETAILS},
    {"type": "alias"},
]


def make_calls(count: int) -> list[dict[str, Any]]:
    """All six calls in turn."""
    calls = []
    for n in range(count):
        call = {**_SHAPES[n % 6], "userId": f"usr_{n}", "context": {"test": {"n": n}}}
        if call["type"] == "alias":
            call["previousId"] = f"old_{n}"
        calls.append(call)
    return calls


def assert_kept(calls: list[dict[str, Any]], rows: dict[str, Row]) -> None:
    """Every call has one row, which holds all that the application gave the SDK."""
    numbers = sorted(row["context_test_n"] for row in rows.values() if "context_test_n" in row)
    assert numbers == list(range(len(calls))), f"not each call once: {numbers}"
    by_number = {row["context_test_n"]: row for row in rows.values() if "context_test_n" in row}
    changed = {
        (n, column): (value, by_number[n].get(column))
        for n, call in enumerate(calls)
        for column, value in columns_of(call).items()
        if not is_same(value, by_number[n].get(column))
    }
    assert not changed, f"not as given to the SDK: {changed}"
