"""Events of who was forgotten are let in by no way of reading them."""

import json
import stat

import pytest

from loader.errors import StorageError
from loader.event.identifiers import Identifier, identifiers_of, normal
from loader.ledger import Suppression, read_suppression, write_suppression
from loader.load import load_files

EVENTS = 600


def event(number):
    return {
        "messageId": f"m{number}",
        "type": "identify",
        "userId": f"u{number % 7}",
        "anonymousId": f"a{number % 13}",
        "traits": {"email": f"P{number % 5}@x.de", "accountId": number % 17},
        "context": {
            "device": {"id": f"d{number % 3}"},
            "traits": {"email": f" q{number % 11}@x.de "},
        },
        "timestamp": "2024-05-01T10:00:00.000Z",
    }


def suppress(workspace, *identifiers):
    known = read_suppression(workspace.suppression).with_person("one", identifiers)
    write_suppression(workspace.suppression, known)


@pytest.mark.parametrize("way", ["on", "off"])
@pytest.mark.parametrize(
    ("who", "every", "at"),
    [
        (("user_id", "u3"), 7, 3),
        (("anonymous_id", "a12"), 13, 12),
        (("email", " p3@X.de"), 5, 3),
        (("email", "Q10@x.de"), 11, 10),
        (("ios.id", "d1"), 3, 1),
        (("account_id", "16"), 17, 16),
    ],
)
def test_their_events_are_suppressed_and_no_others(
    workspace, tmp_path, monkeypatch, way, who, every, at
):
    monkeypatch.setenv("HEADWATER_KERNEL", way)
    suppress(workspace, normal(*who))
    path = tmp_path / "events.ndjson"
    path.write_text("\n".join(json.dumps(event(number)) for number in range(EVENTS)))

    report = load_files(workspace, [str(path)])

    assert report.suppressed == sum(number % every == at for number in range(EVENTS))
    assert report.accepted == EVENTS - report.suppressed


def test_what_a_transformation_makes_theirs_is_suppressed(workspace, configure, load):
    suppress(workspace, Identifier("user_id", "gone"))
    (workspace.root / "step_that_names.py").write_text(
        "def step(event):\n    return {**event, 'userId': event['properties']['who']}\n"
    )
    configure("middleware: ['step_that_names:step']")
    call = {"type": "track", "event": "A", "userId": "u"}

    report = load(
        {**call, "messageId": "1", "properties": {"who": "gone"}},
        {**call, "messageId": "2", "properties": {"who": "here"}},
    )

    assert (report.accepted, report.suppressed) == (1, 1)


def test_the_list_holds_no_value_and_is_its_owners_alone(workspace):
    suppress(workspace, normal("email", "Änna@x.de"), Identifier("user_id", "u-81"))

    text = workspace.suppression.read_text()
    assert "u-81" not in text
    assert "nna@x" not in text
    assert stat.S_IMODE(workspace.suppression.stat().st_mode) == 0o600
    assert read_suppression(workspace.suppression).holds(normal("email", "ÄNNA@X.de"))
    assert not Suppression().holds(Identifier("user_id", "u-81"))


def test_a_list_that_cannot_be_read_lets_no_load_begin(workspace, load):
    workspace.suppression.parent.mkdir(parents=True)
    workspace.suppression.write_text('{"format_version": 1, "people"')

    with pytest.raises(StorageError, match="can't be read"):
        load(event(1))


def test_identifiers_are_found_wherever_an_event_carries_them():
    found = identifiers_of(
        {
            "userId": "u",
            "previousId": "p",
            "groupId": "acme",
            "traits": {"Email": "A@x.de", "userId": "not this"},
            "properties": {"email": 5},
            "context": {
                "traits": "odd",
                "externalIds": [{"type": "Braze_ID", "id": "b"}, "odd", {"id": 1}],
                "device": {"advertisingId": "i"},
            },
        },
        {"user_id", "anonymous_id", "email", "braze_id", "ios.idfa", "group_id"},
    )

    assert sorted(map(str, found)) == [
        *("anonymous_id:p", "braze_id:b", "email:5", "email:a@x.de", "ios.idfa:i"),
        *("user_id:p", "user_id:u"),
    ]
