"""The oracle itself: it gives what Segment's worked cases tell."""

import pytest

from tests.identity.cases import read_cases
from tests.identity.oracle import DAY, Event, Limit, Override, Rules, resolve, segment_id_of
from tests.identity.outcome import as_expected, outcome_of

EVER = Rules({"user_id": Limit(1), "*": Limit(5)})


@pytest.mark.parametrize("case", read_cases(), ids=lambda case: f"{case.id} {case.name}")
def test_a_worked_case_comes_out_as_it_is_told(case):
    resolution = resolve(case.rules, case.events())

    assert case.as_told(outcome_of(resolution)) == as_expected(case.expected)


def test_of_one_type_the_identifier_of_the_last_place_goes_first_and_of_all_the_last_type():
    rules = Rules({"*": Limit(1)}, priority=["user_id"])
    event = page("m1", 0, "zone:z", "email:b", "email:a", "user_id:u")

    resolution = resolve(rules, [event])

    assert [d[1:] for d in resolution.demotions] == [
        ("zone", "z", "limit"),
        ("email", "a", "limit"),
    ]
    assert resolution.id_graph() == {segment_id_of(("email", "b")): segment_id_of(("email", "b"))}


def test_a_week_counts_only_what_was_attached_within_it_and_later():
    rules = Rules({"*": Limit(1, 7), "user_id": Limit(1)})
    events = [
        page("m1", 0, "user_id:u", "device:a"),
        page("m2", 7, "user_id:u", "device:b"),  # a is a week old
        page("m3", 13.9, "user_id:u", "device:c"),
        page("m4", 1, "user_id:u", "device:d"),  # received late, and b only after it
    ]

    resolution = resolve(rules, events)

    assert [(d.event_id, d.value) for d in resolution.demotions] == [("m3", "c"), ("m4", "d")]


def test_a_profile_that_may_not_merge_or_grow_gets_the_event_and_nothing_else():
    rules = Rules({"*": Limit(9)}, max_merges=1, max_mappings=4)
    events = [
        *(page(f"m{n}", n, f"device:{n}") for n in range(3)),
        page("m3", 3, "device:2", "device:1"),
        page("m4", 4, "device:0", "device:2"),  # two merges
        page("m5", 5, "device:0", *(f"mail:{n}" for n in range(4))),  # five identifiers
    ]

    resolution = resolve(rules, events)

    assert [(d.event_id, d.value, d.reason) for d in resolution.demotions] == [
        ("m4", "2", "full"),
        *(("m5", f"{n}", "full") for n in range(4)),
    ]
    assert resolution.canonical_of("m4") == resolution.canonical_of("m0")


def test_overrides_take_identifiers_out_and_merge_what_the_rules_leave_apart():
    events = [
        page("m1", 1, "user_id:u1", "device:kiosk"),
        page("m2", 2, "email:e", "device:kiosk"),
        page("m3", 3, "device:kiosk"),
        page("m4", 4, "user_id:u2", "device:d"),
    ]

    def users(*overrides):
        found = resolve(EVER, events, [Override(*given) for given in overrides]).users()
        return sorted(sorted(value for _, value in user) for user in found.values())

    assert users() == [["d", "u2"], ["e", "kiosk", "u1"]]
    assert users(("split", "device", "kiosk")) == [["d", "u2"], ["e"], ["kiosk"], ["u1"]]
    assert users(("block_identifier", "device", "kiosk")) == [["d", "u2"], ["e"], ["u1"]]
    linked = ("block_link", "device", "kiosk", "user_id", "u1")
    assert users(linked) == [["d", "u2"], ["e", "kiosk"], ["u1"]]
    merged = ("merge", "user_id", "u2", "user_id", "u1")
    assert users(merged) == [["d", "e", "kiosk", "u1", "u2"]]


def page(event_id, day, *identifiers):
    pairs = [tuple(told.split(":")) for told in identifiers]
    return Event(event_id, "page", int(day * DAY), pairs)
