"""What transformations make of an event, and that they leave the one they got as it was."""

from copy import deepcopy
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loader.config import Config, TransformationConfig, build
from loader.errors import ConfigError
from loader.transformations.transformation import Transformations


def transform(event, *transformations, salt=""):
    """What `transformations`, as headwater.yml has them, make of `event`."""
    config = build(Config, {"transformations": list(transformations)}, "")
    before = deepcopy(event)
    transformed = Transformations(config.transformations, salt)(event)
    assert event == before
    return transformed


def test_an_event_is_renamed(event):
    transformed = transform(event, {"event": "order completed", "rename_event": "Sale"})

    assert transformed == {**event, "event": "Sale"}


def test_a_value_moves_with_all_below_it(event):
    change = {"rename": {"properties.card": "context.payment.card", "properties.nope": "traits.a"}}

    transformed = transform(event, change)

    assert "card" not in transformed["properties"]
    assert transformed["context"]["payment"] == {"card": {"number": "4111", "type": "v"}}
    assert transformed["traits"] == {}


@pytest.mark.parametrize("new", ["properties.currency", "properties.currency.code"])
def test_a_value_does_not_move_to_where_another_one_is(event, new):
    assert transform(event, {"rename": {"properties.total": new}}) == event


def test_a_value_may_move_below_its_own_name(event):
    transformed = transform(event, {"rename": {"properties.total": "properties.total.amount"}})

    assert transformed["properties"]["total"] == {"amount": 120}


def test_a_value_is_set_whatever_was_there(event):
    change = {"set": {"properties.currency": "USD", "properties.total.a": [1], "traits.x": None}}

    transformed = transform(event, change)

    assert transformed["properties"]["currency"] == "USD"
    assert transformed["properties"]["total"] == {"a": [1]}
    assert transformed["traits"] == {"x": None}


def test_values_are_dropped(event):
    transformed = transform(event, {"drop": ["properties.card.number", "context.ip", "traits.a.b"]})

    assert transformed["properties"]["card"] == {"type": "v"}
    assert "ip" not in transformed["context"]
    assert transformed["traits"] == {}


def test_what_is_not_allowed_goes_where_something_is(event):
    transformed = transform(event, {"allow": ["properties.total", "properties.card.type"]})

    assert transformed["properties"] == {"total": 120, "card": {"type": "v"}}
    assert transformed["context"] == event["context"]


def test_a_text_is_hashed_as_it_was_sent(event):
    digest = sha256(b"anna@example.com").hexdigest()
    change = {"hash": ["context.traits.email"]}

    transformed = transform(event, change)

    assert transformed["context"]["traits"]["email"] == digest
    assert transform(transformed, change) == transformed


def test_a_salt_stands_before_the_text(event):
    transformed = transform(event, {"hash": ["context.traits.email"]}, salt="pepper")

    digest = sha256(b"pepperanna@example.com").hexdigest()
    assert transformed["context"]["traits"]["email"] == digest


def test_every_scalar_of_a_hashed_value_is_hashed(event):
    event["properties"]["card"] = {"number": 4111, "tags": ["a", True, None]}

    transformed = transform(event, {"hash": ["properties.card", "properties.nope"]})

    number, a, true = (sha256(text).hexdigest() for text in (b"4111", b"a", b"true"))
    assert transformed["properties"]["card"] == {"number": number, "tags": [a, true, None]}


def test_each_sees_what_the_ones_before_it_made(event):
    transformed = transform(
        event,
        {"event": "Order Completed", "rename_event": "Sale", "set": {"properties.step": 1}},
        {"event": "Sale", "if": {"properties.step": 1}, "rename_event": "Sold"},
        {"event": "Sale", "drop_event": True},
    )

    assert transformed["event"] == "Sold"


@pytest.mark.parametrize(
    ("change", "is_for"),
    [
        ({"event": "*"}, True),
        ({"event": "Order Refunded"}, False),
        ({"type": "track"}, True),
        ({"type": "identify"}, False),
        ({}, True),
        ({"if": {"properties.total": {"greater_than": 100}}}, True),
        ({"event": "Order Completed", "if": {"properties.total": {"greater_than": 200}}}, False),
    ],
)
def test_an_event_is_dropped_if_the_transformation_is_for_it(event, change, is_for):
    transformed = transform(event, {**change, "drop_event": True})

    assert (transformed is None) is is_for


def test_a_call_without_an_event_is_no_track_event():
    page = {"type": "page", "name": "Home", "properties": {"a": 1}, "traits": {}, "context": {}}

    assert transform(page, {"event": "*", "drop_event": True}) is page
    assert transform(page, {"type": "page", "drop": ["properties.a"]})["properties"] == {}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"renamed": {}}, "transformations[1].renamed: unknown key 'renamed'"),
        ({"iff": {}}, "did you mean 'if'?"),
        ({"if": []}, "transformations[1].if: found [] (list), wanted a mapping"),
        ({}, "transformations[1]: it changes nothing"),
        ({"drop": ["total"]}, "transformations[1].drop[0]: 'total' is no path"),
        ({"drop": ["properties"]}, "transformations[1].drop[0]: 'properties' is no path"),
        ({"set": {"userId": "x"}}, "transformations[1].set.userId: 'userId' is no path"),
        ({"hash": ["traits.a", "messageId"]}, "transformations[1].hash[1]: 'messageId' is no"),
        ({"allow": ["properties.a.b.c.d.e"]}, "transformations[1].allow[0]"),
        ({"rename": {"traits.a": "traits..b"}}, "transformations[1].rename.traits.a: 'traits..b'"),
        ({"rename_event": "A"}, "transformations[1]: `rename_event` needs `event`"),
        ({"event": "A", "rename_event": " "}, "transformations[1]: rename_event: wanted a name"),
        ({"event": "A", "type": "page", "drop_event": True}, "only a track call has an `event`"),
        ({"type": "purchase", "drop_event": True}, "transformations[1].type: 'purchase'"),
        ({"drop_event": True, "drop": ["traits.a"]}, "`drop_event` leaves nothing to change"),
        (
            {"drop_event": True, "if": {"properties.a": {"above": 1}}},
            "transformations[1].if.properties.a.above: unknown key 'above'",
        ),
        ({"set": {"traits.a": {1, 2}.__class__}}, "transformations[1].set.traits.a"),
    ],
)
def test_a_wrong_one_is_told_by_its_index_and_key(event, change, told):
    with pytest.raises(ConfigError) as raised:
        transform(event, {"drop": ["traits.a"]}, change)

    assert told in str(raised.value)


keys = st.sampled_from(["a", "b", "c"])
values = st.recursive(
    st.sampled_from([None, 1, "x", True, [1, {"a": 2}]]),
    lambda inner: st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(keys, values, max_size=3)
paths = st.builds(
    lambda root, below: ".".join([root, *below]),
    st.sampled_from(["properties", "traits", "context"]),
    st.lists(keys, min_size=1, max_size=4),
)
changes = st.builds(
    TransformationConfig,
    rename=st.dictionaries(paths, paths, max_size=2),
    set=st.dictionaries(paths, values, max_size=2),
    hash=st.lists(paths, max_size=2).map(tuple),
    drop=st.lists(paths, min_size=1, max_size=2).map(tuple),
    allow=st.lists(paths, max_size=2).map(tuple),
)


@given(objects, objects, objects, st.lists(changes, max_size=3))
def test_an_event_stays_one_and_the_given_one_as_it_was(properties, traits, context, configs):
    event = {"type": "page", "properties": properties, "traits": traits, "context": context}
    before = deepcopy(event)

    transformed = Transformations(configs, "")(event)

    assert event == before
    assert transformed.keys() == event.keys()
    assert all(isinstance(transformed[root], dict) for root in ("properties", "traits", "context"))


@given(objects, paths, paths)
def test_a_rename_loses_nothing(properties, old, new):
    event = {"type": "page", "properties": properties, "traits": {}, "context": {}}
    config = TransformationConfig(rename={old: new})

    transformed = Transformations([config], "")(event)

    assert sorted(map(repr, leaves(transformed))) == sorted(map(repr, leaves(event)))


def leaves(value):
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    return [] if value is None else [value]
