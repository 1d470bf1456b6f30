"""How the workers fared: how often they were started again, and since when none was ready."""

from resformer.scripts.monitor.backend_file import Backend
from resformer.scripts.monitor.management import ModelState

__all__ = ["WorkerHistory"]


class WorkerHistory:
    """What successive states of the model say together. Times are seconds of one monotonic clock.

    Attributes:
        restarts: How often a worker got another process.
        answered_at: When the management API last answered, or when this began.
        ready_at: When a worker was last ready, or when this began.
        was_answered, was_ready: Whether the API ever answered, and a worker ever was ready.
        state: The last one; None where the API did not answer when it was last asked.
    """

    def __init__(self, now: float):
        self.restarts = 0
        self.answered_at = now
        self.ready_at = now
        self.was_answered = self.was_ready = False
        self.state: ModelState | None = None
        self._backend: Backend | None = None
        self._pids: dict[str, int] = {}

    def add(self, backend: Backend, state: ModelState, now: float) -> int:
        """Adds what the API answered; returns how many workers were started again since the answer before."""
        if backend != self._backend:
            # The workers of another TorchServe are new ones, with the same names.
            self._backend, self._pids = backend, {}
        restarts = 0
        pids = {}
        for worker in state.workers:
            before = self._pids.get(worker.id, -1)
            restarts += before > 0 and worker.pid > 0 and worker.pid != before
            pids[worker.id] = worker.pid if worker.pid > 0 else before
        self._pids = pids
        self.restarts += restarts
        self.state = state
        self.answered_at = now
        self.was_answered = True
        if state.ready:
            self.ready_at = now
            self.was_ready = True
        return restarts

    def add_silence(self) -> None:
        """The API did not answer."""
        self.state = None
