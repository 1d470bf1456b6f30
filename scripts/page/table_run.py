"""A table that is scored in the background, with how far it is."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event

from resformer.scripts.lib.answerers import Answerer
from resformer.scripts.lib.score_options import ScoreOptions
from resformer.scripts.lib.score_table import ScoreSummary, score_table

__all__ = ["Progress", "run_table"]

INTERVAL = 0.25  # seconds between two reports


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        done, total: Photos; total is 0 until it is known.
        seconds: Since the start.
    """

    done: int
    total: int
    seconds: float

    @property
    def rate(self) -> float:
        """Photos a second."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """None until a photo is answered."""
        return (self.total - self.done) / self.rate if self.rate else None


def run_table(
    options: ScoreOptions, answerer: Answerer, stopped: Event, *, interval: float = INTERVAL
) -> Iterator[Progress | ScoreSummary]:
    """Scores a table as `resformer score` does; yields its progress, and at last the summary.

    Args:
        options: What to score, into which files.
        answerer: Answers as the options say.
        stopped: Ends the run after the photos that are under way; the others then have no answer.
        interval: Seconds between two reports.

    Raises:
        Exception: Those of `score_table`.
    """
    counts = (0, 0)
    started = time.monotonic()

    def on_photo(done: int, total: int) -> None:
        nonlocal counts
        counts = (done, total)

    with ThreadPoolExecutor(1) as pool:
        try:
            run = pool.submit(score_table, options, answerer=answerer, on_photo=on_photo, stopped=stopped.is_set)
            while not wait([run], interval).done:
                yield Progress(*counts, time.monotonic() - started)
            yield run.result()
        finally:  # also where nobody wants more of this
            stopped.set()
