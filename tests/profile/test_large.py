"""Profiles of 10,000 identifiers: both commands take less than a second."""

import time

import pytest

from loader.profile import explain, read_profile
from tests.profile.tables import Identity, publish


def kiosk():
    """One user on 9,999 devices."""
    identity = Identity()
    for number in range(1, 10_000):
        identity.event("user_id:u", f"anonymous_id:a{number}")
    return identity, "a9998", "a9999", 2


def path():
    """Each of 10,000 identifiers was seen with the next one."""
    identity = Identity()
    for number in range(1, 10_000):
        identity.event(f"anonymous_id:a{number}", f"anonymous_id:a{number + 1}")
    return identity, "a1", "a10000", 9_999


@pytest.mark.parametrize("shape", [kiosk, path])
def test_a_profile_of_10_000_identifiers_is_shown_and_explained_in_a_second(workspace, shape):
    identity, one, two, hops = shape()
    publish(workspace, identity)

    started = time.process_time()
    shown = read_profile(workspace, one, max_events=20)
    shown_at = time.process_time()
    explained = explain(workspace, one, two)
    explained_at = time.process_time()

    assert len(shown.identifiers) == 10_000
    assert len(explained.hops) == hops
    assert shown_at - started < 1
    assert explained_at - shown_at < 1
