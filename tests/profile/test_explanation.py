"""Chains found in the tables, against a search in plain Python; and why there is none."""

import random
from collections import deque
from itertools import combinations

import pytest

from loader.errors import ConfigError, LoaderError
from loader.overrides import Identifier
from loader.profile import explain
from tests.profile.tables import Identity, publish, segment_id


def named(number):
    return Identifier(("anonymous_id", "user_id", "email")[number % 3], f"v{number}")


def random_identity(seed):
    """Sixty identifiers in events of one to four, some of them demoted, and a few overrides."""
    dice = random.Random(seed)
    identity = Identity()
    for _ in range(70):
        carried = [named(number) for number in dice.sample(range(60), dice.choice((1, 2, 2, 3, 4)))]
        demoted = dice.sample(carried, dice.choice((0, 0, 0, 1)) if len(carried) > 1 else 0)
        identity.events.append((carried, dict.fromkeys(demoted, "limit")))
    known = list(identity.roots())
    identity.merges = [tuple(dice.sample(known, 2)) for _ in range(4)]
    return identity


def distances(links, start):
    """How many hops lead from `start` to each identifier."""
    found, waiting = {start: 0}, deque([start])
    while waiting:
        at = waiting.popleft()
        for near in links[at]:
            if near not in found:
                found[near] = found[at] + 1
                waiting.append(near)
    return found


def neighbours(identity, at):
    """The identifiers that counted beside `at`, by their first event, None for an override."""
    found = {}
    for one, two in identity.merges:
        if at in (one, two):
            found[two if at == one else one] = None
    for seq, (carried, demoted) in reversed(list(enumerate(identity.events, start=1))):
        counted = [each for each in carried if each not in demoted]
        if at in counted:
            found |= dict.fromkeys((each for each in counted if each != at), f"m{seq}")
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_every_chain_is_as_short_as_can_be_and_each_hop_the_earliest(workspace, seed):
    identity = random_identity(seed)
    publish(workspace, identity)
    roots = identity.roots()
    links = {each: neighbours(identity, each) for each in roots}

    for one, two in random.Random(seed).sample(list(combinations(sorted(roots), 2)), 40):
        found = explain(workspace, str(one), str(two))

        near = distances(links, one)
        assert found.is_one_profile == (two in near) == (roots[one] == roots[two])
        if not found.is_one_profile:
            continue
        assert len(found.hops) == near[two]
        path = [one, *(hop.linked_identifier for hop in found.hops)]
        assert path[-1] == two
        for at, hop in zip(path, found.hops, strict=False):
            assert hop.identifier == at
            assert hop.event_id == links[at][hop.linked_identifier]
            assert hop.by == ("event" if hop.event_id else "override")


def test_identifiers_of_two_profiles_are_told_with_the_event_that_carried_both(workspace):
    identity = Identity()
    identity.event("user_id:u1", "anonymous_id:ipad")
    identity.event("user_id:u2", "anonymous_id:ipad", anonymous_id="limit")
    publish(workspace, identity)

    found = explain(workspace, "u2", "ipad")

    assert not found.is_one_profile
    assert found.canonical_id == segment_id(Identifier("user_id", "u2"))
    assert found.other_canonical_id == segment_id(Identifier("user_id", "u1"))
    [demotion] = found.demotions
    assert (demotion.event_id, demotion.reason) == ("m2", "limit")
    assert demotion.demoted == Identifier("anonymous_id", "ipad")


def test_an_identifier_that_never_counted_has_no_profile(workspace):
    publish(workspace, Identity().event("user_id:u1", "email:a@x", email="override"))

    found = explain(workspace, "u1", "email: A@X")

    assert found.other_canonical_id is None
    assert [it.reason for it in found.demotions] == ["override"]


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        (("u1", "user_id:u1"), ConfigError, "named twice"),
        (("u1", "nobody"), LoaderError, "no profile has that identifier"),
        (("u1", "both"), ConfigError, "anonymous_id:both"),
    ],
)
def test_what_is_no_pair_of_identifiers_is_refused(workspace, asked, error, told):
    publish(workspace, Identity().event("user_id:u1", "user_id:both", "anonymous_id:both"))

    with pytest.raises(error, match=told):
        explain(workspace, *asked)
