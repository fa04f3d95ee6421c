"""Runs deliveries side by side: drives the generators, hands back one outcome a row."""

import asyncio
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from loader.delivery.sender import Sender
from loader.errors import AccessDenied, Unavailable
from loader.protocol import Delivery, Outcome, Row


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that are delivered together; `position` is the place of the first one in the run."""

    position: int
    rows: Sequence[Row]


async def deliver_all(
    batches: Iterator[Batch],
    start: Callable[[Sequence[Row]], Delivery],
    sender: Sender,
    finished: Callable[[Batch, Sequence[Outcome]], None],
) -> None:
    """Deliver every batch, as many at a time as the sender allows, begun in order.

    `finished` is told of each batch as soon as it is done. Returns early once the sender stopped;
    what was in flight then is still awaited and reported.
    """

    async def work() -> None:
        while sender.stopped is None and (batch := next(batches, None)) is not None:
            finished(batch, await deliver(start(batch.rows), sender, len(batch.rows)))

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(sender.max_concurrency):
                workers.create_task(work())
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


async def deliver(delivery: Delivery, sender: Sender, row_count: int) -> Sequence[Outcome]:
    """One outcome a row; all are `retry` if the destination can't be reached or lets nobody in."""
    try:
        request = next(delivery)
        while True:
            request = delivery.send(await sender.send(request))
    except StopIteration as end:
        outcomes: Sequence[Outcome] = end.value
    except (Unavailable, AccessDenied) as problem:
        return [Outcome.retry(problem.message)] * row_count
    if len(outcomes) != row_count:
        raise RuntimeError(f"{len(outcomes)} outcomes for {row_count} rows: a destination's bug")
    return [
        dataclasses.replace(outcome, reason=sender.redact(outcome.reason))
        if outcome.reason
        else outcome
        for outcome in outcomes
    ]
