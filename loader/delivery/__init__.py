"""Delivery: sends what destinations ask for, paced and retried; knows no destination by name."""

from loader.delivery.clock import Clock, SystemClock
from loader.delivery.dispatch import Batch, deliver, deliver_all
from loader.delivery.retry import RetryPolicy, retry_after_seconds
from loader.delivery.sender import Sender

__all__ = [
    "Batch",
    "Clock",
    "RetryPolicy",
    "Sender",
    "SystemClock",
    "deliver",
    "deliver_all",
    "retry_after_seconds",
]
