"""One person in the warehouse: who that is, why, and how to put it right."""

from loader.profile.correction import find_override, plan
from loader.profile.document import Decision, Profile, read_decisions, read_profile
from loader.profile.explanation import Demotion, Explanation, Hop, explain
from loader.profile.lookup import REASONS

__all__ = [
    "REASONS",
    "Decision",
    "Demotion",
    "Explanation",
    "Hop",
    "Profile",
    "explain",
    "find_override",
    "plan",
    "read_decisions",
    "read_profile",
]
