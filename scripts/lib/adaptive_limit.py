"""How many requests a server takes at once, found by trying (additive increase, multiplicative decrease)."""

import time

__all__ = ["AdaptiveLimit"]

START = 4.0
BACK_OFF = 0.5


class AdaptiveLimit:
    """A limit of requests under way, which rises with answers and falls where the server is busy.

    It rises by one while as many requests as it allows are answered, and halves on a refusal, once for all requests
    that were sent before it fell.

    Args:
        most: It rises no further.
    """

    def __init__(self, most: int):
        self._most = float(most)
        self._value = min(START, self._most)
        self._lowered = 0.0
        self.under_way = 0

    @property
    def value(self) -> int:
        """Requests that may be under way."""
        return int(self._value)

    @property
    def room(self) -> int:
        """Requests that may be sent now."""
        return self.value - self.under_way

    def begin(self) -> float:
        """Counts a request; returns when it was sent, for `end`."""
        self.under_way += 1
        return time.monotonic()

    def end(self, sent: float, *, answered: bool = False, refused: bool = False) -> None:
        """Counts the end of a request.

        Args:
            sent: What `begin` returned.
            answered: Whether the server had room for it.
            refused: Whether it had none.
        """
        # A limit that is not reached says nothing about the server.
        if answered and self.under_way >= self.value:
            self._value = min(self._most, self._value + 1 / self._value)
        self.under_way -= 1
        if refused and sent >= self._lowered:
            self._value = max(1.0, self._value * BACK_OFF)
            self._lowered = time.monotonic()

    def restart(self) -> None:
        """Begins with one request, as for a server that was away."""
        self._value, self._lowered = 1.0, time.monotonic()
