"""The guide's calls as NDJSON: what its reader would look for in the warehouse."""

import json

import pytest

TIMES = {"timestamp": "2024-05-01T10:00:00.000Z"}
BROWSER = {"anonymousId": "anon-1", "userId": None, **TIMES}
CALLS = [
    {
        **BROWSER,
        "type": "page",
        "messageId": "g1",
        "name": "Listing",
        "category": "Product",
        "properties": {
            "url": "https://e.com/x",
            "path": "/x",
            "title": "T",
            "referrer": "",
            "search": "",
            "category": "electronics",
            "locale": "ru-RU",
        },
        "context": {"ip": "1.2.3.4", "library": {"name": "analytics.js"}},
        "sentAt": "2024-05-01T10:00:05.000Z",
        "receivedAt": "2024-05-01T10:00:06.000Z",
        "writeKey": "secret-key-of-the-browser",
        "_metadata": {"bundled": ["Segment.io"]},
    },
    {
        **BROWSER,
        "type": "track",
        "messageId": "g2",
        "event": "Order Completed",
        "properties": {
            "order_id": "ORDER-789",
            "affiliation": "Web Store",
            "total": 14500,
            "subtotal": 13500,
            "revenue": 14500,
            "shipping": 500,
            "tax": 500,
            "discount": 0,
            "currency": "RUB",
            "products": [{"product_id": "SKU-001", "price": 13500, "quantity": 1}],
        },
    },
    {
        **BROWSER,
        "userId": "usr_12345",
        "type": "identify",
        "messageId": "g3",
        "traits": {
            "email": "ivan@example.com",
            "name": "Ivan Petrov",
            "plan": "pro",
            "company": {"id": "company_abc", "name": "Example Inc"},
            "createdAt": "2024-01-15T10:00:00Z",
            "projects_count": 5,
        },
    },
    {
        "type": "group",
        "messageId": "g4",
        "userId": "usr_12345",
        "groupId": "company_abc",
        "traits": {"name": "Example Inc", "industry": "Technology", "employees": 25},
        **TIMES,
    },
    {
        "type": "track",
        "messageId": "g5",
        "userId": "usr_12345",
        "event": "Subscription Started",
        "properties": {
            "plan": "pro",
            "revenue": 2990,
            "currency": "RUB",
            "billing_cycle": "monthly",
            "payment_method": "card",
            "mrr": 2990,
        },
        "context": {"ip": "5.6.7.8"},
        **TIMES,
    },
    {  # as the PHP class sends it
        "userId": "usr_12345",
        "event": "Order Completed",
        "messageId": "php_1",
        "properties": {"order_id": "ORDER-790", "total": "14500", "currency": "RUB"},
        "timestamp": "2024-05-01T10:05:00+00:00",
        "context": {"library": {"name": "analytics-php"}},
    },
]
COUNTS = {
    **dict.fromkeys(["pages", "order_completed", "subscription_started", "identifies"], 1),
    "groups": 1,
    "tracks": 2,
    "violations": 1,
    "screens": 0,
    "aliases": 0,
}


@pytest.fixture
def guide(workspace, load):
    return load(*CALLS)


def test_every_call_has_its_row(workspace, guide, raw):
    assert {t: raw(workspace, f"select count(*) from raw.{t}")[0][0] for t in COUNTS} == COUNTS
    assert (guide.events_in, guide.accepted, guide.blocked) == (6, 5, 1)


def test_columns_are_segments(workspace, guide, raw):
    assert raw(
        workspace,
        "select id, anonymous_id, user_id, event, event_text, order_id, total, currency, products,"
        " source_id, load_id, _rescued from raw.order_completed",
    ) == [
        (
            *("g2", "anon-1", None, "order_completed", "Order Completed", "ORDER-789", 14500.0),
            *("RUB", '[{"product_id":"SKU-001","price":13500,"quantity":1}]', "file", 1, None),
        )
    ]
    assert raw(
        workspace,
        "select email, company_id, company_name, projects_count, created_at::varchar"
        " from raw.identifies",
    ) == [("ivan@example.com", "company_abc", "Example Inc", 5, "2024-01-15 10:00:00+00")]
    assert raw(workspace, "select name, category, context_ip, _rescued from raw.pages") == [
        ("Listing", "Product", "1.2.3.4", '{"/properties/category":"electronics"}')
    ]
    assert raw(workspace, "select group_id, employees from raw.groups") == [("company_abc", 25.0)]


def test_the_browsers_clock_is_corrected(workspace, guide, raw):
    assert raw(
        workspace,
        "select timestamp::varchar, original_timestamp::varchar, sent_at::varchar,"
        " received_at::varchar, _date::varchar from raw.pages",
    ) == [
        (
            *("2024-05-01 10:00:01+00", "2024-05-01 10:00:00+00"),
            *("2024-05-01 10:00:05+00", "2024-05-01 10:00:06+00", "2024-05-01"),
        )
    ]


def test_arrival_order_runs_through_all_tables(workspace, guide, raw):
    found = raw(
        workspace,
        "select id from (select id, _seq from raw.tracks union all select id, _seq from raw.pages"
        " union all select id, _seq from raw.identifies union all select id, _seq from raw.groups)"
        " order by _seq",
    )

    assert [id_ for (id_,) in found] == ["g1", "g2", "g3", "g4", "g5"]


def test_the_php_classs_total_is_kept_back_with_its_reason(workspace, guide, raw):
    ((*row, payload),) = raw(
        workspace,
        "select message_id, type, event, path, rule, message, action, source_id, load_id, payload"
        " from raw.violations",
    )

    assert row == [
        *("php_1", "track", "Order Completed", "$.properties.total", "type"),
        '"14500" is a string; the contract wants a number >= 0',
        *("block", "file", 1),
    ]
    assert json.loads(payload)["properties"] == CALLS[-1]["properties"]
    assert '"14500" is a string' in guide.example


def test_what_came_when_is_in_raw_loads(workspace, guide, raw):
    found = raw(workspace, "select table_name, dates, rows, load_id from raw.loads order by 1")

    assert {table: rows for table, _, rows, _ in found} == {t: n for t, n in COUNTS.items() if n}
    assert {str(day) for _, dates, *_ in found for day in dates} == {"2024-05-01"}
    assert {load_id for *_, load_id in found} == {1}


def test_loaded_again_nothing_changes(workspace, guide, load, raw):
    before = workspace.manifest.read_bytes()
    files = sorted(workspace.home.rglob("*"))

    again = load(*CALLS)

    assert workspace.manifest.read_bytes() == before
    assert sorted(workspace.home.rglob("*")) == files
    assert again.already_loaded != []
    assert (again.load_id, again.events_in) == (None, 0)


def test_no_write_key_is_stored(workspace, guide):
    files = [path for path in workspace.home.rglob("*") if path.is_file()]

    assert len(files) > 10
    for path in files:
        assert b"secret-key-of-the-browser" not in path.read_bytes(), path
        assert b"bundled" not in path.read_bytes(), path
