"""Rates and volumes: counted as loads come, held against what headwater.yml allows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from loader.alerts.news import News
from loader.alerts.state import AlertState, Told
from loader.config import AlertConfig

HOUR: Final = 3600
DAY_HOURS: Final = 24
_SLOT: Final = 300  # seconds
_Number = TypeVar("_Number")
_DAY: Final = DAY_HOURS * HOUR


@dataclass(frozen=True, slots=True)
class Rate:
    """A source of whose events too many broke their contract, within so many seconds."""

    source: str
    events: int
    violating: int
    limit: float
    window_seconds: int


@dataclass(frozen=True, slots=True)
class Volume:
    """A source that sent far more or fewer events in 24 hours than in the 24 hours before."""

    source: str
    events: int
    events_before: int
    limit: float

    @property
    def change(self) -> float:
        """-0.5 is half as many."""
        return self.events / self.events_before - 1


def count(state: AlertState, news: News, now: float) -> None:
    """Add what loads brought to the counts, and forget what no threshold looks at any more."""
    slot, hour = int(now // _SLOT), int(now // HOUR)
    if news.has_counts:
        state.counted_load_id = news.load_id
    for source, counts in news.loaded.items():
        slots = state.loaded.setdefault(source, {})
        events, violating = slots.get(slot, (0, 0))
        slots[slot] = (events + counts.events, violating + counts.violating)
    for (source, received_hour), events in news.received.items():
        hours = state.received.setdefault(source, {})
        hours[received_hour] = hours.get(received_hour, 0) + events
        first = state.first_hours.get(source, received_hour)
        state.first_hours[source] = min(first, received_hour)
    state.loaded = _since(state.loaded, slot - _DAY // _SLOT)
    state.received = _since(state.received, hour - 2 * DAY_HOURS)


def rates_exceeded(state: AlertState, alert: AlertConfig, told: Told, now: float) -> Iterator[Rate]:
    """Each source over the alert's `violation_rate`, unless that was told within `every`."""
    if alert.violation_rate is None:
        return
    window = int(alert.window.total_seconds())
    for source, slots in sorted(state.loaded.items()):
        seen = [counts for slot, counts in slots.items() if slot > (now - window) // _SLOT]
        events, violating = (sum(numbers) for numbers in zip((0, 0), *seen, strict=True))
        is_due = now - told.rate_told_at.get(source, 0) >= alert.every.total_seconds()
        if is_due and events >= alert.minimum_events and violating > events * alert.violation_rate:
            yield Rate(source, events, violating, float(alert.violation_rate), window)


def volumes_changed(
    state: AlertState, alert: AlertConfig, told: Told, now: float
) -> Iterator[Volume]:
    """Each source over the alert's `volume_change` in 24 full hours, unless told within a day.

    A source of which the 48 hours are not known whole is left out.
    """
    if alert.volume_change is None:
        return
    hour = int(now // HOUR)
    for source, hours in sorted(state.received.items()):
        events = sum(n for h, n in hours.items() if 0 < hour - h <= DAY_HOURS)
        before = sum(n for h, n in hours.items() if DAY_HOURS < hour - h <= 2 * DAY_HOURS)
        is_due = now - told.volume_told_at.get(source, 0) >= _DAY
        is_known = state.first_hours[source] <= hour - 2 * DAY_HOURS and before > 0
        if is_due and is_known and max(events, before) >= alert.minimum_events:
            volume = Volume(source, events, before, float(alert.volume_change))
            if abs(volume.change) >= alert.volume_change:
                yield volume


def _since(
    counts: Mapping[str, Mapping[int, _Number]], first: int
) -> dict[str, dict[int, _Number]]:
    kept = {
        source: {place: number for place, number in numbers.items() if place >= first}
        for source, numbers in counts.items()
    }
    return {source: numbers for source, numbers in kept.items() if numbers}
