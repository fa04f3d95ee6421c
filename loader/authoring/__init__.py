"""What helps to write contracts: lint, trial, comparison, drafts, and a library to take from."""

from loader.authoring.columns import disagreements
from loader.authoring.differences import EventDifference, PlanDifference, compare_plans
from loader.authoring.documents import layout, place_of, planned, write_contracts
from loader.authoring.drafting import Draft, draft_contracts
from loader.authoring.findings import Finding
from loader.authoring.library import (
    SemanticEvent,
    events_of_category,
    find_semantic_event,
    semantic_events,
)
from loader.authoring.lint import Linted, lint_contracts
from loader.authoring.revisions import read_plan
from loader.authoring.trial import Trial, Tried, try_events

__all__ = [
    "Draft",
    "EventDifference",
    "Finding",
    "Linted",
    "PlanDifference",
    "SemanticEvent",
    "Trial",
    "Tried",
    "compare_plans",
    "disagreements",
    "draft_contracts",
    "events_of_category",
    "find_semantic_event",
    "layout",
    "lint_contracts",
    "place_of",
    "planned",
    "read_plan",
    "semantic_events",
    "try_events",
    "write_contracts",
]
