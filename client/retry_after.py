"""How long a server wants to be left alone."""

import time
from email.utils import parsedate_to_datetime

__all__ = ["retry_after_seconds"]


def retry_after_seconds(value: str | None, *, now: float | None = None) -> float | None:
    """The seconds that a header `Retry-After` asks for, which holds seconds or a date; None where it says neither.

    >>> retry_after_seconds("120"), retry_after_seconds("Thu, 01 Jan 1970 00:01:00 GMT", now=50.0)
    (120.0, 10.0)

    Args:
        now: Seconds since 1970; None = the clock.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, date.timestamp() - (time.time() if now is None else now))
