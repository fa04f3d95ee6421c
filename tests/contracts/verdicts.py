"""An event to judge, and a verdict in few words."""

ORDER = {"order_id": "ORDER-789", "total": 14500, "currency": "RUB"}


def track(event, properties, **fields):
    body = {"type": "track", "event": event, "userId": "u", "properties": properties}
    return {**body, "context": {}, **fields}


def told(verdict):
    """The rules and paths that were told, by what was done."""
    return {
        action: [(each.rule, each.path) for each in violations]
        for action, violations in verdict.violations.items()
    }
