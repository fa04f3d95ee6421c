"""Assertions on what an app sent; each waits a while, as SDKs send in the background."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from loader.testing.matching import described, differences, nearest, title
from loader.testing.serving import RunningCollector

_LOOK_SECONDS: Final = 0.02
_SETTLE_SECONDS: Final = 0.25  # in which an event too many would come

Event = dict[str, Any]


def assert_tracked(
    collector: RunningCollector,
    event: str,
    properties: Mapping[str, Any] | None = None,
    *,
    user_id: str | None = None,
    anonymous_id: str | None = None,
    times: int | None = None,
    within_seconds: float = 5.0,
) -> Event:
    """Wait for a track event of that name with (at least) these properties; the first such.

    `times` wants exactly so many, where one sent twice under one messageId counts once, as a load
    takes it. Fails, too, if such an event breaks its contract or would be kept back by a load.
    """
    __tracebackhide__ = True
    wanted = _wanted("track", user_id, anonymous_id, properties, "properties", event=event)
    return _await(collector, wanted, times, within_seconds)


def assert_identified(
    collector: RunningCollector,
    user_id: str,
    traits: Mapping[str, Any] | None = None,
    *,
    times: int | None = None,
    within_seconds: float = 5.0,
) -> Event:
    """The same for an identify call of that user with (at least) these traits."""
    __tracebackhide__ = True
    wanted = _wanted("identify", user_id, None, traits, "traits")
    return _await(collector, wanted, times, within_seconds)


def assert_not_tracked(
    collector: RunningCollector,
    event: str,
    properties: Mapping[str, Any] | None = None,
    *,
    user_id: str | None = None,
    anonymous_id: str | None = None,
    within_seconds: float = 0.5,
) -> None:
    """Wait so long, and fail as soon as such an event comes. Flush the SDK before."""
    __tracebackhide__ = True
    wanted = _wanted("track", user_id, anonymous_id, properties, "properties", event=event)
    if found := _look(collector, wanted, len, within_seconds):
        told = _indented([described(each) for each in found])
        raise AssertionError(f"{title(wanted)} came, and should not have:\n{told}")


def _wanted(
    call: str,
    user_id: str | None,
    anonymous_id: str | None,
    body: Mapping[str, Any] | None,
    body_field: str,
    **fields: str,
) -> Event:
    """What a matching event has to hold."""
    ids = {"userId": user_id, "anonymousId": anonymous_id}
    named = {name: value for name, value in ids.items() if value is not None}
    return {"type": call, **fields, **named, **({body_field: body} if body else {})}


def _await(
    collector: RunningCollector, wanted: Event, times: int | None, within_seconds: float
) -> Event:
    __tracebackhide__ = True
    if times is not None and times < 1:
        raise ValueError("times: wanted 1 or more; for none there is assert_not_tracked")
    found = _look(collector, wanted, lambda found: len(found) >= (times or 1), within_seconds)
    if times is not None and len(found) == times:
        found = _look(collector, wanted, lambda found: len(found) > times, _SETTLE_SECONDS)
    if not found or (times is not None and len(found) != times):
        raise AssertionError(_what_came_instead(collector, wanted, found, times, within_seconds))
    for each in found:
        if objections := collector.objections(each):
            raise AssertionError(
                f"{title(each)} came, but a load would keep it back:\n{_indented(objections)}"
            )
    return found[0]


def _look(
    collector: RunningCollector,
    wanted: Event,
    is_enough: Callable[[list[Event]], Any],
    within_seconds: float,
) -> list[Event]:
    """The matching events as soon as they are enough, or those at the end of the time."""
    deadline = time.monotonic() + within_seconds
    while True:
        is_late = time.monotonic() >= deadline
        found = [each for each in collector.events() if not any(differences(wanted, each))]
        found = _each_once(found)
        if is_late or is_enough(found):
            return found
        time.sleep(_LOOK_SECONDS)


def _each_once(events: list[Event]) -> list[Event]:
    """Without those that came again under the same messageId."""
    by_id = {str(each.get("messageId") or id(each)): each for each in reversed(events)}
    return list(reversed(by_id.values()))


def _what_came_instead(
    collector: RunningCollector,
    wanted: Event,
    found: list[Event],
    times: int | None,
    within_seconds: float,
) -> str:
    often = f"came {len(found)} x, not {times} x" if found else "did not come"
    lines = [f"{described(wanted)} {often} (waited {within_seconds:g} s)"]
    lines += [f"  came: {title(each)}, messageId {each.get('messageId')!r}" for each in found]
    others = [each for each in collector.events() if any(differences(wanted, each))]
    if not found and not others:
        lines.append(
            f"  no event came at all: does the SDK send to {collector.url}, and is it flushed?"
        )
    for status, count in collector.refused().items():
        hint = " (a wrong write key?)" if status == 401 else ""
        lines.append(f"  requests refused with {status}{hint}: {count}")
    if others and len(found) < (times or 1):
        lines.append(f"  others that came, the nearest first ({len(others)} in all):")
        for each in nearest(wanted, others):
            lines.append(f"  - {title(each)}")
            lines += [f"      {difference}" for difference in differences(wanted, each)]
            lines += [f"      breaks a rule: {told}" for told in collector.objections(each)]
    return "\n".join(lines)


def _indented(lines: list[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)
