"""The worked cases and random sequences on BigQuery: the outcomes that the oracle has."""

from random import Random

import pytest

from tests.bigquery.conftest import on_bigquery
from tests.conftest import make_workspace
from tests.identity.cases import read_cases
from tests.identity.oracle import resolve
from tests.identity.outcome import as_expected, outcome_of
from tests.identity.place import Place, as_call
from tests.identity.sequences import RULES, cut, make_sequence

CASES = read_cases()
STRICT = RULES["windows"]


@pytest.fixture
def place_with(tmp_path, emulator):
    """Makes a workspace on BigQuery with the rules given."""
    return lambda rules: Place(on_bigquery(make_workspace(tmp_path / "place"), emulator), rules)


def test_the_worked_cases_come_out_as_they_are_told(place_with):
    rules = CASES[0].rules
    cases = [case for case in CASES if case.rules == rules]
    assert [case.id for case in CASES if case not in cases] == ["08"]  # of blocked values
    place = place_with(rules)

    place.load(call for case in cases for call in case.calls)
    place.transform()

    outcome = place.outcome()
    for case in cases:
        assert case.as_told(outcome) == as_expected(case.expected), case.name


def test_blocked_values_windows_and_full_profiles_are_the_oracles(place_with):
    [blocked] = [case for case in CASES if case.id == "08"]
    random = Random("BigQuery")
    sequences = [make_sequence(f"s{number}.", random) for number in range(15)]
    place = place_with(STRICT)
    first, second = cut(sequences, 2)

    place.load([*blocked.calls, *map(as_call, first)])
    place.transform()
    place.load(map(as_call, second))
    place.transform()

    outcome = place.outcome()
    assert blocked.as_told(outcome) == as_expected(blocked.expected)
    wanted = outcome_of(resolve(STRICT, [*blocked.events(), *first, *second]))
    assert wanted.differences(outcome) == {}
