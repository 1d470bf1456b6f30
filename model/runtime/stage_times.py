"""How much processor time the stages of answering take; nothing is counted unless somebody listens."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["STAGES", "StageTimes", "counted_stages", "stage"]

STAGES: Final = ("decode", "detect", "recognise", "draw", "choose", "write")
"""The stages: pixels from a file; boxes of text lines; their text; line segments; questions encoded, with the first
step of every answer; texts written step by step."""


class StageTimes:
    """Core-seconds by stage, added up over all threads.

    Attributes:
        seconds: By the names of STAGES.
    """

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self._lock = threading.Lock()

    def add(self, name: str, seconds: float) -> None:
        """Adds to a stage."""
        with self._lock:
            self.seconds[name] += seconds


_listener: StageTimes | None = None


@contextmanager
def stage(name: str) -> Iterator[None]:
    """The code within belongs to a stage. What it has done in other threads counts where they say so, too.

    Args:
        name: Of STAGES. Stages of one thread do not overlap.
    """
    times = _listener
    if times is None:
        yield
        return
    # Time of this thread alone: others compute beside it, and a busy machine takes it off the processor.
    start = time.thread_time()
    try:
        yield
    finally:
        times.add(name, time.thread_time() - start)


@contextmanager
def counted_stages() -> Iterator[StageTimes]:
    """Counts the stages of everything that this process answers. Networks must have one thread each.

    Raises:
        RuntimeError: They are counted already.
    """
    global _listener
    if _listener is not None:
        raise RuntimeError("stages are counted already; leave the first counted_stages() before another one")
    _listener = StageTimes()
    try:
        yield _listener
    finally:
        _listener = None
