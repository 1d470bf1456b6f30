"""Trying again, more patiently each time."""

import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["RETRIED_STATUS", "Transient", "with_retries"]

T = TypeVar("T")

# What a server answers that is busy, starting or out of reach for now.
RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504, 507})


class Transient(Exception):
    """A failure that may be over in a moment."""


def with_retries(call: Callable[[], T], *, attempts: int, wait: float) -> T:
    """The result of `call`, made again where it raises Transient.

    Args:
        attempts: How often to try; the last failure is passed on.
        wait: Seconds before the second attempt; they double each time.
    """
    for attempt in range(attempts - 1):
        try:
            return call()
        except Transient:
            time.sleep(wait * 2**attempt)
    return call()
