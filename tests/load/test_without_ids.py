"""An event without userId and anonymousId is let in if something else tells whose it is."""

import pytest

EMAIL = {"email": "j@x.io"}
EXTERNAL_ID = {"id": "1", "type": "phone", "collection": "users", "encoding": "none"}


def event(kind="track", **fields):
    name = {"event": "X"} if kind == "track" else {}
    return {"type": kind, "messageId": "m1", "timestamp": "2026-01-01T10:02:00Z", **name, **fields}


def external(**changed):
    return event(context={"externalIds": [{**EXTERNAL_ID, **changed}]})


IDENTIFIED = {
    "trait of identify": event("identify", traits=EMAIL, context={}),
    "context.traits": event("page", context={"traits": EMAIL}),
    "empty ids": event(userId="", anonymousId=None, context={"traits": EMAIL}),
    "external id": external(),
    "external id that is a number": external(id=5),
    "a good one after bad ones": event(context={"externalIds": [None, {}, EXTERNAL_ID]}),
}
NOBODYS = {
    "trait of a group": event("group", groupId="g1", traits=EMAIL),
    "property": event(properties=EMAIL),
    "blank": event("identify", traits={"email": "  "}),
    "no text": event("identify", traits={"email": ["j@x.io"]}),
    "too long": event("identify", traits={"email": "a" * 501}),
    "alias": event("alias", previousId="p1", context={"traits": EMAIL}),
    "of an account": external(collection="accounts"),
    "encoded": external(encoding="base64"),
    "without a type": external(type=""),
    "a group's": external(type="group_id"),
    "an object": external(id={"a": 1}),
    "a boolean": external(id=True),
    "empty": external(id=""),
    "no list": event(context={"externalIds": EXTERNAL_ID}),
}


@pytest.mark.parametrize("kernel", ["on", "off"])
@pytest.mark.parametrize("identified", IDENTIFIED.values(), ids=IDENTIFIED)
def test_it_is_let_in(workspace, load, raw, monkeypatch, identified, kernel):
    monkeypatch.setenv("HEADWATER_KERNEL", kernel)
    table = {"track": "tracks", "identify": "identifies", "page": "pages"}[identified["type"]]
    twins = [{**identified, "userId": "u", "messageId": f"u{n}"} for n in range(300)]

    report = load(*twins, identified)  # after these the kernel knows every key

    assert (report.accepted, report.blocked) == (301, 0)
    found = raw(workspace, f"select user_id, anonymous_id from raw.{table} where id = 'm1'")
    assert found == [(None, None)]


@pytest.mark.parametrize("nobodys", NOBODYS.values(), ids=NOBODYS)
def test_else_it_is_kept_back(workspace, load, raw, nobodys):
    report = load(nobodys)

    assert (report.accepted, report.blocked) == (0, 1)
    assert raw(workspace, "select rule from raw.violations") == [("no_identity",)]
