"""Anna, who is to be forgotten, and others, who are not; wherever their data can lie."""

import json
from typing import Any

ANNA = "Änna.Gone@Example.com"
PHONE = "+49-30-555-0199"
ANNA_IDS = ("u-anna-0815", "d-anna-4711", "d-anna-4712")
# All that names her, in the spelling that is stored.
NEEDLES = (ANNA, ANNA.lower(), PHONE, *ANNA_IDS)
DAY = "2026-11-0{}T10:00:00Z"


def event(id_: str, type_: str = "track", **fields: Any) -> dict[str, Any]:
    if type_ == "track":
        fields.setdefault("event", "Ticked")
    return {"type": type_, "messageId": id_, "receivedAt": DAY.format(1), **fields}


def of_anna(n: str) -> list[Any]:
    """Events of hers: known by one id or another, by a mail only, with ids that nothing links."""
    user, device, other = ANNA_IDS
    traits = {"email": ANNA, "phone": PHONE, "firstName": "Änna"}
    return [
        event(f"{n}-a1", "identify", userId=user, anonymousId=device, traits=traits),
        event(f"{n}-a2", anonymousId=device, properties={"n": 1}),
        event(f"{n}-a3", "page", anonymousId=other, context={"traits": {"email": f" {ANNA} "}}),
        event(f"{n}-a4", anonymousId=other, receivedAt=DAY.format(2)),
        event(f"{n}-a5", "group", userId=user, groupId="acme", traits={"name": "Acme"}),
        event(f"{n}-a6", "alias", userId="u-new", previousId=user),
        event(f"{n}-a7", event="Order Completed", userId=user, properties={"order_id": 5}),
        {
            "batch": [event(f"{n}-a8", anonymousId="kiosk")],
            "context": {"traits": {"email": ANNA.upper()}},
        },
        json.dumps(event(f"{n}-a9", userId=user)).encode()[:-1],
    ]


def of_others(n: str) -> list[Any]:
    return [
        event(f"{n}-b1", "identify", userId="bob", anonymousId="d", traits={"email": "bob@x.de"}),
        event(f"{n}-b2", anonymousId="d", properties={"n": 2}),
        event(f"{n}-b3", "identify", userId="eve", traits={"email": "eve@x.de", "phone": "1"}),
        event(f"{n}-b4", "group", userId="bob", groupId="acme", traits={"plan": "pro"}),
        event(f"{n}-b5", event="Order Completed", userId="bob", properties={"order_id": 6}),
        event(f"{n}-b6", "page", userId="bob", name="Home"),
        b"no event",
    ]
