"""What whoever serves a predictor counts about it: seconds that its parts take, and what became of its questions.

Nothing is measured unless somebody listens.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["NETWORK", "QUANTITY_OUTCOMES", "READER", "count_outcome", "listen", "timed"]

READER: Final = "reader"
"""Text lines off the photos of a batch."""
NETWORK: Final = "network"
"""From text lines to the answers about a batch."""
QUANTITY_OUTCOMES: Final = ("answered", "withheld", "unread", "absent")
"""What became of a question about a quantity: it was answered; a quantity that was read is likeliest, but not sure
enough; likeliest is that one is shown, but none was read in the entity's units; likeliest is that none is shown."""

Listener = Callable[[str, float], None]
"""Takes READER or NETWORK with seconds, or one of QUANTITY_OUTCOMES with a number of questions."""

_listener: Listener | None = None


def listen(listener: Listener | None) -> None:
    """Sets who listens to everything that this process answers; None: nobody. It must not raise."""
    global _listener
    _listener = listener


@contextmanager
def timed(part: str) -> Iterator[None]:
    """The code within is a part that answers a batch: READER or NETWORK."""
    listener = _listener
    if listener is None:
        yield
        return
    start = time.monotonic()
    try:
        yield
    finally:
        listener(part, time.monotonic() - start)


def count_outcome(outcome: str) -> None:
    """One more question had this outcome, of QUANTITY_OUTCOMES."""
    if _listener is not None:
        _listener(outcome, 1)
