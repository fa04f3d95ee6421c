"""Tells of what loads brought: once, at no more than the pace that headwater.yml allows.

What there is to say is written down before it is sent, so that nothing is forgotten if the process
is killed or the address does not answer: the next load says it. An alert that arrived just before
the process was killed may come twice.
"""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from loader.alerts.message import Alert, plain_form, slack_form
from loader.alerts.news import Broken, News
from loader.alerts.state import AlertState, Pending, Told, write_state
from loader.alerts.thresholds import count, rates_exceeded, volumes_changed
from loader.config import AlertConfig

_MAX_PENDING: Final = 500  # groups that one alert tells apart
_FORMS: Final = {"slack": slack_form, "plain": plain_form}


def tell(
    alerts: Sequence[AlertConfig],
    path: Path,
    state: AlertState,
    news: News,
    *,
    workspace: str,
    now: float,
) -> list[str]:
    """Take the news into `state`, which lies at `path`, and send what is due at `now` (Unix).

    Gives a sentence for each alert that could not be sent; it is tried again the next time.
    """
    before = repr(state)
    state.load_id = news.load_id
    count(state, news, now)
    known = state.alerts
    state.alerts = {key: known.get(key) or Told() for key in _keys(alerts)}
    due: list[tuple[AlertConfig, Told, Alert]] = []
    for alert, told in zip(alerts, state.alerts.values(), strict=True):
        _take(told, alert, news, now)
        found = _due(state, alert, told, workspace, now)
        if not found.is_empty:
            due.append((alert, told, found))
    if repr(state) != before:
        write_state(path, state)
    if not due:
        return []
    from loader.alerts.post import Post, post_all  # noqa: PLC0415 - a fifth of a second, seldom

    posts = [Post(a.url.where, a.url, _FORMS[a.format](found)) for a, _, found in due]
    outcomes = post_all(posts)
    for (_, told, found), problem in zip(due, outcomes, strict=True):
        if problem is None:
            _mark(told, found, now)
    write_state(path, state)
    return [
        f"alert not sent, the next load tries again: {post.where}: {problem}"
        for post, problem in zip(posts, outcomes, strict=True)
        if problem is not None
    ]


def _keys(alerts: Sequence[AlertConfig]) -> list[str]:
    """What tells alerts apart, whatever their order in the file."""
    keys: list[str] = []
    for alert in alerts:
        key = sha256(f"{alert.format} {alert.url.template}".encode()).hexdigest()[:16]
        keys.append(f"{key}-{sum(known.startswith(key) for known in keys)}")
    return keys


def _take(told: Told, alert: AlertConfig, news: News, now: float) -> None:
    """Add the groups of `news` to what is pending, and forget those of which all is told."""
    if not alert.violations:
        told.pending, told.others = [], 0
        return
    for pending in told.pending:
        pending.held_back = pending.count
    known = {(pending.event, pending.rule): pending for pending in told.pending}
    for broken in news.broken:
        found = known.get((broken.event, broken.rule))
        if found is None:
            if len(known) >= _MAX_PENDING:
                told.others += broken.count
                continue
            found = known[broken.event, broken.rule] = Pending(broken.event, broken.rule)
        _add(found, broken)
    told.others += news.others
    horizon = now - alert.every.total_seconds()
    told.pending = [p for p in known.values() if p.count or p.told_at > horizon]


def _add(pending: Pending, broken: Broken) -> None:
    first_seen_at = broken.first_seen_at.timestamp()
    if not pending.count:
        pending.sources, pending.first_seen_at = [], first_seen_at
    pending.count += broken.count
    pending.sources = sorted({*pending.sources, *broken.sources})
    pending.first_seen_at = min(pending.first_seen_at, first_seen_at)
    pending.last_seen_at = max(pending.last_seen_at, broken.last_seen_at.timestamp())
    pending.path, pending.message = broken.path, broken.message
    pending.message_id = broken.message_id


def _due(state: AlertState, alert: AlertConfig, told: Told, workspace: str, now: float) -> Alert:
    """What the alert may say now; the largest groups first."""
    horizon = now - alert.every.total_seconds()
    groups = [p for p in told.pending if p.count and p.told_at <= horizon]
    return Alert(
        workspace=workspace,
        load_id=state.load_id,
        groups=sorted(groups, key=lambda p: (-p.count, p.event, p.rule)),
        others=told.others if told.others_told_at <= horizon else 0,
        rates=list(rates_exceeded(state, alert, told, now)),
        volumes=list(volumes_changed(state, alert, told, now)),
    )


def _mark(told: Told, alert: Alert, now: float) -> None:
    """Remember that all of `alert` was said."""
    for pending in alert.groups:
        pending.count = pending.held_back = 0
        pending.told_at = now
    if alert.others:
        told.others, told.others_told_at = 0, now
    told.rate_told_at |= {rate.source: now for rate in alert.rates}
    told.volume_told_at |= {volume.source: now for volume in alert.volumes}
