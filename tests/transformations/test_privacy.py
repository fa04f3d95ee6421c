"""What the door leaves of an event, of what stands for one, and of whom nothing passes."""

import json
from hashlib import sha256

import pytest

from loader.config import Workspace
from loader.errors import ConfigError
from loader.event.envelope import Shared
from loader.transformations import Privacy
from loader.transformations.privacy import anonymised

ANNA = "anna@example.com"
HASHED = sha256(ANNA.encode()).hexdigest()


@pytest.fixture
def privacy(tmp_path):
    """A workspace's door, by its `privacy` as YAML."""

    def make(config, **files):
        (tmp_path / "headwater.yml").write_text(f"privacy: {config}\n")
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8-sig")
        return Privacy(Workspace(tmp_path).config.privacy, tmp_path)

    return make


def cleaned(privacy, event):
    """The event, and its text, which has to say the same."""
    text = privacy.clean(event, json.dumps(event).encode())
    assert json.loads(text) == event
    return event


@pytest.mark.parametrize(
    ("ip", "kept"),
    [
        ("203.0.113.77", "203.0.113.0"),
        (" 203.0.113.77 ", "203.0.113.0"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("fe80::1%eth0", "fe80::"),
        ("203.0.113.0", "203.0.113.0"),
        ("203.0.113.77, 10.0.0.1", None),
        ("203.0.113.77:8080", None),
        ("unknown", None),
        ("", None),
    ],
)
def test_an_address_loses_what_tells_households_apart(ip, kept):
    assert anonymised(ip) == kept
    assert kept is None or anonymised(kept) == kept


@pytest.mark.parametrize("ip", [3405803853, ["203.0.113.77"], {"v4": "203.0.113.77"}, True])
def test_what_is_no_address_is_not_stored_for_one(privacy, ip):
    assert cleaned(privacy("{anonymize_ip: true}"), {"context": {"ip": ip}}) == {
        "context": {"ip": None}
    }


def test_a_listed_value_is_hashed_and_its_neighbours_are_not(privacy):
    event = {"type": "identify", "traits": {"email": ANNA, "plan": "pro"}, "context": {"a": 1}}

    assert cleaned(privacy("{hash: [traits.email]}"), event) == {
        "type": "identify",
        "traits": {"email": HASHED, "plan": "pro"},
        "context": {"a": 1},
    }


@pytest.mark.parametrize(
    "traits",
    [
        {"email": ANNA},
        {"Email": ANNA},
        {"EMAIL": ANNA},
        {" email ": ANNA},
        {"email": [ANNA]},
        {"email": {"work": ANNA}},
    ],
)
def test_a_key_of_another_spelling_is_no_way_around(privacy, traits):
    found = cleaned(privacy("{hash: [traits.email]}"), {"traits": traits})

    assert HASHED in json.dumps(found)
    assert ANNA not in json.dumps(found)


def test_a_path_and_a_key_that_give_one_column_are_hashed_alike(privacy):
    door = privacy("{hash: [context.traits.email]}")

    for context in (
        {"traits": {"email": ANNA}},
        {"traits_email": ANNA},
        {"Traits": {"Email": ANNA}},
    ):
        assert ANNA not in json.dumps(cleaned(door, {"context": context}))


def test_a_key_that_stands_twice_is_not_left_in_the_text(privacy):
    door = privacy("{anonymize_ip: true}")
    text = b'{"context":{"ip":"203.0.113.77"},"context":{"ip":"203.0.113.0"}}'

    assert b".77" not in door.clean(json.loads(text), text)


def test_what_a_request_says_for_all_is_cleaned_too(privacy):
    door = privacy("{anonymize_ip: true, hash: [context.traits.email]}")

    shared = door.clean_shared(Shared(context={"traits": {"email": ANNA}}, ip="203.0.113.77"))

    assert shared == Shared(context={"traits": {"email": HASHED}}, ip="203.0.113.0")
    assert door.clean_shared(Shared(context="text")) == Shared(context="text")


def test_an_address_may_be_anonymised_and_hashed(privacy):
    door = privacy("{anonymize_ip: true, hash: [context.ip]}")

    event = cleaned(door, {"context": {"ip": "203.0.113.77"}})

    assert event["context"]["ip"] == sha256(b"203.0.113.0").hexdigest()
    assert cleaned(door, event) == event


def test_a_salt_comes_from_the_environment(privacy, monkeypatch):
    config = "{hash: [traits.email], hash_salt: '${SALT}'}"
    with pytest.raises(ConfigError, match=r"privacy\.hash_salt: the environment variable SALT"):
        privacy(config)
    monkeypatch.setenv("SALT", "pepper")

    event = cleaned(privacy(config), {"traits": {"email": ANNA}})

    assert event["traits"]["email"] == sha256(f"pepper{ANNA}".encode()).hexdigest()


@pytest.mark.parametrize("config", ["{anonymize_ip: true}", "{hash: [traits.a]}", "{suppress: f}"])
def test_what_can_not_be_read_is_withheld(privacy, config):
    text = privacy(config, f="anna").clean_text(b'{"userId":"anna","traits":{"a":"secr')

    assert text.startswith(b"withheld for privacy: 36 bytes, SHA-256 ")


def test_where_nothing_is_asked_for_nothing_is_done(privacy):
    door = privacy("{}")
    event, text, shared = {"context": {"ip": "203.0.113.77"}}, b"{ }", Shared(context={})

    assert door.clean(event, text) is text
    assert door.clean_shared(shared) is shared
    assert door.clean_text(text) is text
    assert event == {"context": {"ip": "203.0.113.77"}}
    assert not door.suppresses


def test_who_is_listed_is_suppressed(privacy):
    listed = "# left in May\nanna\n\n  b#7 \nanonymousId: d-1\n"
    door = privacy("{suppress: gone.txt}", **{"gone.txt": listed})

    for event in (
        {"userId": "anna"},
        {"userId": "b#7", "anonymousId": "d-2"},
        {"userId": "", "anonymousId": "d-1"},
        {"userId": "x", "previousId": "anna"},
        {"userId": "x", "previousId": "d-1"},
    ):
        assert door.is_suppressed(event)
    for event in ({}, {"userId": "Anna"}, {"userId": "d-1"}, {"anonymousId": "anna"}):
        assert not door.is_suppressed(event)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("{suppress: nowhere.txt}", "privacy.suppress: "),
        ("{hash: [email]}", "privacy.hash[0]: 'email' is no path"),
        ("{hash: [traits.email, userId]}", "privacy.hash[1]: 'userId' is no path"),
        ("{anonymise_ip: true}", "did you mean 'anonymize_ip'?"),
    ],
)
def test_what_makes_no_sense_is_told(privacy, config, told):
    with pytest.raises(ConfigError) as raised:
        privacy(config)

    assert told in str(raised.value)
