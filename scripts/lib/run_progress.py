"""How far a run is: a bar on a terminal, a line now and then in a log."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from tqdm import tqdm

__all__ = ["run_progress"]

SECONDS_BETWEEN_LINES = 30.0


@contextmanager
def run_progress(
    stream: IO[str] | None = None, interval: float = SECONDS_BETWEEN_LINES
) -> Iterator[Callable[[int, int], None]]:
    """Shows how many photos are answered, at what rate, and the time left.

    Args:
        stream: Where; None is stderr.
        interval: Seconds between two lines, where the stream is no terminal.

    Yields:
        A function that is told how many photos are answered, and how many there are.
    """
    stream = stream or sys.stderr
    if stream.isatty():
        with tqdm(unit="photo", file=stream, smoothing=0.05) as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            yield show
        return
    started = last = time.monotonic()

    def write(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= interval:
            last = now
            rate = done / (now - started)
            left = tqdm.format_interval((total - done) / rate)
            print(f"{done} of {total} photos, {rate:.1f}/s, {left} left", file=stream, flush=True)

    yield write
