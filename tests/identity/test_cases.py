"""The worked cases of Segment's documentation, through load and transform."""

import pytest

from tests.identity.cases import Case, read_cases
from tests.identity.outcome import Outcome, as_expected
from tests.identity.place import Place

CASES = read_cases()


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory) -> list[tuple[Case, Outcome]]:
    """Of each case; those that share their rules share a workspace."""
    found = []
    for rules in {repr(case.rules): case.rules for case in CASES}.values():
        cases = [case for case in CASES if case.rules == rules]
        place = Place.on_duckdb(tmp_path_factory.mktemp("cases"), rules)
        place.load(call for case in cases for call in case.calls)
        place.transform()
        found += [(case, place.outcome()) for case in cases]
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.id} {case.name}")
def test_a_worked_case_comes_out_as_it_is_told(case, outcomes):
    [outcome] = [outcome for of, outcome in outcomes if of is case]

    assert case.as_told(outcome) == as_expected(case.expected)
