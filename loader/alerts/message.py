"""An alert in words, for people in a chat, and in JSON, for programs."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from loader.alerts.state import Pending
from loader.alerts.thresholds import DAY_HOURS, HOUR, Rate, Volume

# Slack takes 50 blocks of 3,000 characters.
_SHOWN_GROUPS: Final = 20
_SHOWN_LIMITS: Final = 20
_SHOWN_CHARACTERS: Final = 500
_JSON_VALUE: Final = re.compile(r'["{\[\d-]|true|false|null')
_RAISED: Final = "middleware_failed"
_MAY_SHOW_VALUE: Final = "$.properties."


@dataclass(frozen=True)
class Alert:
    """All that one alert has to say after a load."""

    workspace: str
    load_id: int
    groups: Sequence[Pending] = ()
    others: int = 0
    rates: Sequence[Rate] = ()
    volumes: Sequence[Volume] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say."""
        return not (self.groups or self.others or self.rates or self.volumes)


def slack_form(alert: Alert) -> dict[str, Any]:
    """`{"text", "blocks"}`, as Slack's incoming webhooks and what imitates them take it."""
    title = f"Headwater, {alert.workspace}: {_headline(alert)}"
    sections = [_in_words(rate) for rate in alert.rates[:_SHOWN_LIMITS]]
    sections += [_volume_in_words(volume) for volume in alert.volumes[:_SHOWN_LIMITS]]
    sections = sections[:_SHOWN_LIMITS] + [_group(g) for g in alert.groups[:_SHOWN_GROUPS]]
    unshown = alert.others + sum(group.count for group in alert.groups[_SHOWN_GROUPS:])
    if unshown:
        sections.append(f"and {unshown:,} events of other kinds or rules")
    if alert.groups or alert.others:
        sections.append("All of it: `headwater violations list`")
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title[:150]}}
    ]
    blocks += [
        {"type": "section", "text": {"type": "mrkdwn", "text": section}} for section in sections
    ]
    return {"text": _escape(title), "blocks": blocks}


def plain_form(alert: Alert) -> dict[str, Any]:
    """The same as plain values."""
    return {
        "workspace": alert.workspace,
        "load_id": alert.load_id,
        "text": _headline(alert),
        "violations": [
            {
                "event": group.event,
                "rule": group.rule,
                "count": group.count,
                "held_back": group.held_back,
                "sources": group.sources,
                "first_seen_at": _moment(group.first_seen_at),
                "last_seen_at": _moment(group.last_seen_at),
                "path": group.path,
                "message": without_value(group.rule, group.path, group.message),
                "message_id": group.message_id,
            }
            for group in alert.groups
        ],
        "other_violations": alert.others,
        "violation_rates": [
            {
                "source": rate.source,
                "events": rate.events,
                "violating": rate.violating,
                "rate": round(rate.violating / rate.events, 4),
                "limit": rate.limit,
                "window_seconds": rate.window_seconds,
            }
            for rate in alert.rates
        ],
        "volume_changes": [
            {
                "source": volume.source,
                "events": volume.events,
                "events_before": volume.events_before,
                "change": round(volume.change, 4),
                "limit": volume.limit,
            }
            for volume in alert.volumes
        ],
    }


def without_value(rule: str, path: str, message: str) -> str:
    """A violation's message without the value that it quotes, unless that is a property's own.

    A trait, or an object that may hold some, is nothing for a chat; nor is what an exception says.
    """
    if rule == _RAISED:
        return ": ".join(message.split(": ")[:2])  # the function, the exception's class
    if not _JSON_VALUE.match(message) or (
        path.startswith(_MAY_SHOW_VALUE) and message[0] not in "{["
    ):
        return message
    try:
        _, end = json.JSONDecoder().raw_decode(message)
    except ValueError:  # it was cut to a length
        end = message.find("…") + 1
    return f"the value{message[end:]}" if end else "the value is not what the contract wants"


def _headline(alert: Alert) -> str:
    parts = []
    events = sum(group.count for group in alert.groups) + alert.others
    if events:
        parts.append(f"{events:,} violation{'s' if events > 1 else ''}")
    parts += [f"violation rate of {rate.source}" for rate in alert.rates[:3]]
    parts += [f"volume of {volume.source}" for volume in alert.volumes[:3]]
    return ", ".join(parts)


def _group(group: Pending) -> str:
    events = f"{group.count:,} event{'s' if group.count > 1 else ''}"
    since = f" ({group.held_back:,} of them before this load)" if group.held_back else ""
    message = without_value(group.rule, group.path, group.message)
    return (
        f"*{_escape(group.event)}* breaks `{_escape(group.rule)}`: {events}{since}\n"
        f"> `{_escape(group.path)}`: {_escape(message)}\n"
        f"source {_escape(', '.join(group.sources))}, for instance message "
        f"`{_escape(group.message_id)}`"
    )


def _in_words(rate: Rate) -> str:
    share = f"{rate.violating / rate.events:.1%} of {rate.events:,} events"
    window = f"{rate.window_seconds / HOUR:g} h"
    return (
        f"*{_escape(rate.source)}*: {share} of the last {window} broke their contract "
        f"(limit {rate.limit:.1%})"
    )


def _volume_in_words(volume: Volume) -> str:
    direction = "more" if volume.change > 0 else "fewer"
    return (
        f"*{_escape(volume.source)}*: {volume.events:,} events in {DAY_HOURS} hours, "
        f"{abs(volume.change):.0%} {direction} than the {volume.events_before:,} of the "
        f"{DAY_HOURS} hours before (limit {volume.limit:.0%})"
    )


def _escape(text: str) -> str:
    """`text` as Slack shows it: no mention, no link, no code that ends before its time."""
    text = " ".join(text.replace("`", "'").split())[:_SHOWN_CHARACTERS]
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _moment(unix_seconds: float) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).isoformat()
