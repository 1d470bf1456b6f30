"""What a worker counts about its answers, for Prometheus: through TorchServe's own metrics, which metrics.yaml defines.

Counting is a few additions in memory. A thread hands what was counted to TorchServe every second, as one line for each
series that changed: a line for each answer would take longer than all of the rest of a request's bookkeeping.
"""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from typing import Any, Final, get_args

from resformer.model.errors import ResformerError
from resformer.model.prediction import Result
from resformer.model.runtime.measures import NETWORK, QUANTITY_OUTCOMES, READER, listen
from resformer.model.schema.schema import Kind

__all__ = ["COUNTERS", "HISTOGRAMS", "INTERNAL_ERROR", "WorkerMetrics", "start_emitting"]

COUNTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "resformer_photos_total": ("reader",),
    "resformer_errors_total": ("type",),
    "resformer_answers_total": ("kind", "outcome", "confidence"),
    "resformer_quantities_total": ("outcome",),
    "resformer_batches_total": (),
}
"""The labels of each counter, in the order of metrics.yaml."""
HISTOGRAMS: Final = ("resformer_batch_seconds", "resformer_reader_seconds", "resformer_network_seconds")
"""They have no labels, and TorchServe's buckets: 5 ms to 10 s."""
INTERNAL_ERROR: Final = "InternalError"
"""The type of an error that is a fault of the server."""

EMIT_SECONDS = 1.0
LOG_SECONDS = 60.0
# Seconds are handed on one by one: more than a worker measures in a second, and a bound where nobody takes them.
MAX_OBSERVATIONS = 10_000
TENTHS = tuple(f"0.{tenth}" for tenth in range(10))
SECONDS_OF = {READER: "resformer_reader_seconds", NETWORK: "resformer_network_seconds"}

logger = logging.getLogger(__name__)
_logged_at = -LOG_SECONDS

Series = tuple[str, tuple[str, ...]]
"""A counter and the values of its labels."""


class WorkerMetrics:
    """What was counted and not yet handed to TorchServe. None of the methods that count raises."""

    def __init__(self, readers: Iterable[str] = ()):
        self._lock = threading.Lock()
        self._readers = frozenset(readers)
        # A rate needs the zero before the first count.
        self._counts: Counter[Series] = Counter(dict.fromkeys(_known_series(self._readers), 0))
        self._observations: deque[tuple[str, float]] = deque(maxlen=MAX_OBSERVATIONS)

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """What this process answers within is measured, see resformer.model.runtime.measures."""
        listen(self._measured)
        try:
            yield
        finally:
            listen(None)

    def count_photo(self, result: Result, kinds: Mapping[str, str], reader: str) -> None:
        """Counts a photo that was answered.

        Args:
            kinds: of entities, by their names.
            reader: that read the photo.
        """
        with _unharmed():
            reader = reader if reader in self._readers else "other"
            series: list[Series] = [("resformer_photos_total", (reader,))]
            for name, answer in result.predictions.items():
                outcome = "answered" if answer.prediction else "empty"
                tenth = TENTHS[min(9, max(0, int(10 * answer.confidence)))]
                series.append(("resformer_answers_total", (kinds[name], outcome, tenth)))
            with self._lock:
                self._counts.update(series)

    def count_error(self, error: Exception) -> None:
        """Counts an answer that is an error, by its type."""
        with _unharmed(), self._lock:
            kind = type(error).__name__ if isinstance(error, ResformerError) else INTERNAL_ERROR
            self._counts["resformer_errors_total", (kind,)] += 1

    def count_batch(self, seconds: float) -> None:
        """Counts a batch of requests that took some seconds."""
        with _unharmed(), self._lock:
            self._counts["resformer_batches_total", ()] += 1
            self._observations.append(("resformer_batch_seconds", seconds))

    def emit(self, metrics: Any) -> None:
        """Hands everything to TorchServe's metrics, those of the worker's context."""
        from ts.metrics.metric_type_enum import MetricTypes

        with self._lock:
            counts, self._counts = self._counts, Counter()
            observations = list(self._observations)
            self._observations.clear()
        for (name, values), count in counts.items():
            _metric(metrics, name, MetricTypes.COUNTER, COUNTERS[name]).add_or_update(count, list(values))
        for name, seconds in observations:
            _metric(metrics, name, MetricTypes.HISTOGRAM, ()).add_or_update(round(seconds, 6), [])

    def _measured(self, name: str, value: float) -> None:
        with _unharmed(), self._lock:
            if name in SECONDS_OF:
                self._observations.append((SECONDS_OF[name], value))
            else:
                self._counts["resformer_quantities_total", (name,)] += int(value)


def start_emitting(counted: WorkerMetrics, metrics: Any, *, seconds: float = EMIT_SECONDS) -> threading.Event:
    """Hands on what is counted, every few seconds, in a thread that ends with the process or with the event.

    Args:
        metrics: of the worker's context.
    """
    ended = threading.Event()

    def emit() -> None:
        while not ended.wait(seconds):
            with _unharmed():
                counted.emit(metrics)

    threading.Thread(target=emit, name="metrics", daemon=True).start()
    return ended


@contextmanager
def _unharmed() -> Iterator[None]:
    """A fault of metrics changes no answer; the first of a minute is logged."""
    global _logged_at
    try:
        yield
    except Exception:
        if time.monotonic() - _logged_at > LOG_SECONDS:
            _logged_at = time.monotonic()
            logger.exception("metrics are incomplete")


def _known_series(readers: Iterable[str]) -> list[Series]:
    errors = [*sorted(error.__name__ for error in _subclasses(ResformerError)), INTERNAL_ERROR]
    return [
        *(("resformer_photos_total", (reader,)) for reader in readers),
        *(("resformer_errors_total", (error,)) for error in errors),
        *(
            ("resformer_answers_total", labels)
            for labels in product(sorted(get_args(Kind)), ("answered", "empty"), TENTHS)
        ),
        *(("resformer_quantities_total", (outcome,)) for outcome in QUANTITY_OUTCOMES),
        ("resformer_batches_total", ()),
    ]


def _subclasses(base: type[Exception]) -> set[type[Exception]]:
    direct = set(base.__subclasses__())
    return direct.union(*(_subclasses(one) for one in direct))


def _metric(metrics: Any, name: str, kind: Any, labels: tuple[str, ...]) -> Any:
    """One that metrics.yaml defines; where a server runs with another file, one that its front end ignores."""
    from ts.metrics.metric_cache_errors import MetricsCacheKeyError

    try:
        return metrics.get_metric(name, kind)
    except MetricsCacheKeyError:
        return metrics.add_metric_to_cache(name, "count" if labels else "s", list(labels), kind)
