"""Events that carry identifiers in every place, the rules to read them by, and what comes of it."""

RULES = """
identity:
  identifiers:
    user_id: {limit: 1}
    phone: {limit: 2, window: weekly}
    '*': {limit: 3, window: annually}
  custom: [app_id, loyalty_no]
  blocked: ['[0-]*', 'nobody', "it's \\\\d+"]
"""
_DEVICE = {"advertisingId": "ad1", "adTrackingEnabled": True, "token": "t1", "type": "iOS"}


def _external(value, kind="phone", **changed):
    return {"id": value, "type": kind, "collection": "users", "encoding": "none", **changed}


_EVENTS = [
    {"type": "page", "anonymousId": "a1", "properties": {"appId": "app-1", "email": "no@x.io"}},
    {
        "type": "identify",
        "userId": "u1",
        "traits": {"email": " Jane@X.io\n", "app_id": 7, "loyaltyNo": 1},
        "context": {"traits": {"email": "jane@x.io", "appId": "app-2"}},
    },
    {"type": "identify", "traits": {"email": "j@x.io", "loyalty_no": 2.5}},
    {
        "type": "track",
        "event": "Installed",
        "userId": "nobody",
        "properties": {"app_id": "app-3"},
        "context": {"device": {**_DEVICE, "id": "d1"}},
    },
    {
        "type": "track",
        "event": "Opened",
        "anonymousId": "0000-0000",
        "properties": {"appId": True},
        "context": {
            "device": {**_DEVICE, "id": "d2", "type": "android", "adTrackingEnabled": False},
            "integrations": {"Google Analytics": {"clientId": "10.20"}},
        },
    },
    {
        "type": "screen",
        "userId": "it's 5",
        "anonymousId": "a3",
        "properties": {"app_id": "app-4"},
        "context": {
            "externalIds": [
                _external("123", "Phone"),
                _external(5, "crm id"),
                _external("123"),
                _external("a3", "anonymous_id"),
                _external("g", collection="accounts"),
                {"id": "1", "type": "x"},
                _external({"a": 1}),
                None,
                _external(" ME@x.io", "email"),
            ]
        },
    },
    {
        "type": "group",
        "userId": " ",
        "anonymousId": "a4",
        "groupId": "g1",
        "traits": {"app_id": "of the account", "email": "info@x.io"},
        "context": {"traits": {"app_id": "app-5"}},
    },
    {
        "type": "alias",
        "userId": "u9",
        "previousId": "a9",
        "context": {"traits": {"email": "z@x.io", "app_id": "app-9"}},
    },
    {"type": "page", "anonymousId": "b" * 501, "userId": "c" * 500},
]
EVENTS = [
    {**event, "messageId": f"m{number}", "receivedAt": f"2026-03-0{number}T10:00:00Z"}
    for number, event in enumerate(_EVENTS, start=1)
]
EXPECTED = [  # event, its type, identifier's type, value; in the order of `place`
    ("m1", "page", "anonymous_id", "a1"),
    ("m1", "page", "app_id", "app-1"),
    ("m2", "identify", "user_id", "u1"),
    ("m2", "identify", "email", "jane@x.io"),
    ("m2", "identify", "app_id", "7"),
    ("m2", "identify", "app_id", "app-2"),
    ("m2", "identify", "loyalty_no", "1"),
    ("m3", "identify", "email", "j@x.io"),
    ("m3", "identify", "loyalty_no", "2.5"),
    ("m4", "track", "ios.id", "d1"),
    ("m4", "track", "ios.idfa", "ad1"),
    ("m4", "track", "ios.push_token", "t1"),
    ("m4", "track", "app_id", "app-3"),
    ("m5", "track", "android.id", "d2"),
    ("m5", "track", "android.push_token", "t1"),
    ("m5", "track", "ga_client_id", "10.20"),
    ("m6", "screen", "anonymous_id", "a3"),
    ("m6", "screen", "app_id", "app-4"),
    ("m6", "screen", "phone", "123"),
    ("m6", "screen", "crm id", "5"),
    ("m6", "screen", "email", "me@x.io"),
    ("m7", "group", "anonymous_id", "a4"),
    ("m7", "group", "app_id", "app-5"),
    ("m9", "page", "user_id", "c" * 500),
]
WEEK, YEAR = 7 * 86_400_000_000, 365 * 86_400_000_000
EXPECTED_TYPES = [  # type, rank, max_values, window in microseconds
    ("user_id", 1, 1, None),
    ("email", 2, 5, None),
    ("phone", 3, 2, WEEK),
    *(
        (name, rank, 3, YEAR)
        for rank, name in enumerate(
            [
                *("android.id", "android.push_token", "anonymous_id", "app_id", "crm id"),
                *("ga_client_id", "ios.id", "ios.idfa", "ios.push_token", "loyalty_no"),
            ],
            start=4,
        )
    ),
]
TYPES_MODEL = "select * from ({{ identity_types(ref('int_event_identifiers')) }}) as types"
QUERY = "select event_id, event_type, type, value from int_event_identifiers order by _seq, place"
TYPES_QUERY = "select type, rank, max_values, window_microseconds from types order by rank"
