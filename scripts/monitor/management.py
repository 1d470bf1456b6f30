"""What TorchServe's management API says about the model: its workers and its queue."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resformer.scripts.lib.unix_http import exchange
from resformer.scripts.monitor.backend_file import Backend, BackendError

__all__ = ["ModelState", "Worker", "ask_model"]

MODEL_PATH = "/models/resformer"
TIMEOUT = 5.0


@dataclass(frozen=True)
class Worker:
    """One worker.

    Attributes:
        id: That it keeps when it is started again.
        pid: Of its process, or of the last one that it had; -1 before the first.
        ready: Whether it takes requests; else it loads, or has ended.
    """

    id: str
    pid: int
    ready: bool


@dataclass(frozen=True)
class ModelState:
    """The model at one moment.

    Attributes:
        queued: Requests that wait for a worker.
        capacity: Requests that may wait.
    """

    workers: tuple[Worker, ...]
    queued: int
    capacity: int

    @property
    def ready(self) -> int:
        """How many workers take requests."""
        return sum(worker.ready for worker in self.workers)


def ask_model(backend: Backend) -> ModelState:
    """The state of the model now.

    Raises:
        BackendError: TorchServe does not answer, or not with the model's state.
    """
    try:
        headers = {"Authorization": f"Bearer {backend.key()}"}
        status, body = exchange(backend.management, "GET", MODEL_PATH, headers, timeout=TIMEOUT)
    except OSError as error:
        raise BackendError(f"the management API does not answer: {error}") from error
    if status != 200:
        raise BackendError(f"the management API answers with {status}")
    try:
        return _state(json.loads(body)[0])
    except (ValueError, LookupError, TypeError) as error:
        raise BackendError(f"the management API's answer is not understood: {error!r}") from error


def _state(described: Mapping[str, Any]) -> ModelState:
    workers = tuple(
        Worker(str(worker["id"]), int(worker["pid"]), worker["status"] == "READY") for worker in described["workers"]
    )
    queue = described.get("jobQueueStatus") or {"pendingRequests": 0, "remainingCapacity": 0}
    queued = int(queue["pendingRequests"])
    return ModelState(workers, queued, queued + int(queue["remainingCapacity"]))
