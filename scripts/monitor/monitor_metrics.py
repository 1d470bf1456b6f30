"""The monitor's own metrics: what nginx's access log adds up to, and the state at the moment when it is asked for."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from resformer.scripts.monitor.access_log import Access, AccessLogError, parse_access

__all__ = ["AccessMetrics", "Sample", "StateCollector"]

SECONDS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
BYTES = (1e3, 1e4, 1e5, 3e5, 1e6, 2e6, 5e6, 1e7, 2e7)
# Why a request was refused, by its status; the first where a photo was.
REFUSED = {"401": "unauthorized", "413": "too_large", "429": "overload", "503": "overload"}
PHOTO_ROUTES = ("predictions", "grpc")

# Times of creation would double the number of series.
disable_created_metrics()


class AccessMetrics:
    """Counts requests by nginx's access log."""

    def __init__(self, registry: CollectorRegistry):
        self._requests = Counter(
            "resformer_http_requests", "Requests, by status and route.", ["status", "route"], registry=registry
        )
        self._seconds = Histogram(
            "resformer_http_request_duration_seconds",
            "From the first byte of a request to the last one of its answer.",
            ["route"],
            buckets=SECONDS,
            registry=registry,
        )
        self._bytes = Histogram(
            "resformer_http_request_size_bytes",
            "Requests for predictions with their headers.",
            buckets=BYTES,
            registry=registry,
        )
        self._refused = Counter(
            "resformer_http_refused",
            "Requests for predictions that were refused: for want of a key, their size or overload.",
            ["reason"],
            registry=registry,
        )
        self._malformed = Counter(
            "resformer_access_log_malformed", "Datagrams that are no line of the access log.", registry=registry
        )
        # A rate needs the zero before the first count.
        for reason in REFUSED.values():
            self._refused.labels(reason)
        for route in PHOTO_ROUTES:
            self._requests.labels("200", route)

    def take(self, datagram: bytes) -> None:
        """Counts one line of the log."""
        try:
            access = parse_access(datagram)
        except AccessLogError:
            self._malformed.inc()
            return
        self.count(access)

    def count(self, access: Access) -> None:
        """Counts one request."""
        self._requests.labels(access.status, access.route).inc()
        self._seconds.labels(access.route).observe(access.seconds)
        if access.route in PHOTO_ROUTES:
            self._bytes.observe(access.bytes_in)
            if access.status in REFUSED:
                self._refused.labels(REFUSED[access.status]).inc()


@dataclass(frozen=True)
class Sample:
    """A metric as it is now: a counter where the name ends in `_total`, else a gauge.

    Attributes:
        values: By the values of the label; by "" where there is none.
    """

    name: str
    help: str
    values: Mapping[str, float]
    label: str = ""


class StateCollector(Collector):
    """Exports samples that are made when they are asked for."""

    def __init__(self, samples: Callable[[], Iterable[Sample]]):
        self._samples = samples

    def collect(self) -> Iterator[Metric]:
        """The metrics now."""
        for sample in self._samples():
            labels = [sample.label] if sample.label else []
            kind = CounterMetricFamily if sample.name.endswith("_total") else GaugeMetricFamily
            family = kind(sample.name, sample.help, labels=labels)
            for value, number in sample.values.items():
                family.add_metric([value] if sample.label else [], number)
            yield family
