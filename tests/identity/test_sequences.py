"""Random sequences through load and transform, batch by batch: the oracle's outcomes, exactly."""

from random import Random

import pytest

from tests.identity.oracle import Event, resolve
from tests.identity.outcome import Outcome, outcome_of
from tests.identity.place import Place, as_call
from tests.identity.sequences import RULES, cut, make_overrides, make_sequence

SEQUENCES = 250  # for each set of rules


@pytest.mark.parametrize("name", RULES)
def test_batch_by_batch_and_all_at_once_the_outcome_is_the_oracles(name, tmp_path):
    random = Random(f"sequences {name}")
    sequences = [make_sequence(f"s{number}.", random) for number in range(SEQUENCES)]
    overrides = [
        override
        for sequence in sequences[::3]
        for override in make_overrides([arrival.event for arrival in sequence], random)
    ]
    arrived: list[Event] = []
    place = Place.on_duckdb(tmp_path, RULES[name])
    outcome, splits = Outcome.empty(), set()

    # from the second batch on there are overrides, of which half are gone with the third
    for batch, given in zip(cut(sequences, 3), ([], overrides, overrides[::2]), strict=True):
        place.load(map(as_call, batch))
        place.override(given)
        place.transform()
        arrived += batch
        before, outcome = outcome, outcome_of(resolve(RULES[name], arrived, given))
        splits |= came_apart(before, outcome)
        assert outcome.differences(place.outcome()) == {}
        assert read_splits(place) == splits
    # what two rounds do not come to is resolved one by one
    place.transform("--full-refresh", "--vars", '{"identity_rounds": 2}')

    assert outcome.differences(place.outcome()) == {}
    assert read_splits(place) == splits


def came_apart(before: Outcome, after: Outcome) -> set[tuple[str, str]]:
    """The users that hold, now, identifiers of a user that was, and are not what became of it."""
    now = {(kind, value): user for user, kind, value in after.users}
    graph = dict(after.id_graph)
    return {
        (now[kind, value], user)
        for user, kind, value in before.users
        if (kind, value) in now and now[kind, value] != graph.get(user, user)
    }


def read_splits(place: Place) -> set[tuple[str, str]]:
    return set(place.read("select segment_id, canonical_segment_id from profile_splits"))
