"""TorchServe's own metrics, passed on as they are."""

from resformer.scripts.lib.unix_http import exchange
from resformer.scripts.monitor.backend_file import Backend

__all__ = ["fetch_metrics"]

TIMEOUT = 3.0


def fetch_metrics(backend: Backend) -> bytes | None:
    """Prometheus text with a newline at its end; None where TorchServe does not answer."""
    try:
        status, body = exchange(backend.metrics, "GET", "/metrics", timeout=TIMEOUT)
    except OSError:  # An answer without them says so: resformer_torchserve_metrics_up is 0.
        return None
    return body.rstrip(b"\n") + b"\n" if status == 200 else None
