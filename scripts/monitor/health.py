"""What the probes answer, from what is known about TorchServe and its workers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resformer.scripts.monitor.worker_history import WorkerHistory

__all__ = ["DRAINING_FILE", "Limits", "Verdict", "is_draining", "live", "ready"]

DRAINING_FILE = "draining"
"""Where this file is in the server's folder, the server is about to stop: it is not ready, though alive."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds.

    Attributes:
        stale: After so long without an answer of the management API nobody knows that a worker is ready.
        silent: After so long without an answer TorchServe hangs or is gone.
        not_ready: After so long without a ready worker they crash again and again.
        first_start: The same for the start of TorchServe and of the first worker, which is longer on a slow disk.
    """

    stale: float = 5.0
    silent: float = 30.0
    not_ready: float = 120.0
    first_start: float = 240.0


@dataclass(frozen=True)
class Verdict:
    """The answer of a probe: HTTP status and JSON body."""

    good: bool
    body: dict[str, Any]

    @property
    def status(self) -> int:
        """200, or 503."""
        return 200 if self.good else 503


def is_draining(folder: Path) -> bool:
    """Whether the server of this folder drains."""
    return (folder / DRAINING_FILE).exists()


def ready(history: WorkerHistory, now: float, *, draining: bool, limits: Limits) -> Verdict:
    """Whether a request that comes now is answered: a worker is ready, and nothing drains."""
    if draining:
        return _bad("Draining", "the server is about to stop: send requests elsewhere")
    state = history.state
    if state is None or now - history.answered_at > limits.stale:
        return _bad(
            "NoManagement", f"TorchServe has not said for {now - history.answered_at:.0f} s how its workers are"
        )
    if not state.ready:
        seconds = f"{now - history.ready_at:.0f} s"
        since = (
            f"no worker has been ready for {seconds}" if history.was_ready else f"no worker is ready after {seconds}"
        )
        return _bad("NoWorker", f"{since}, of {len(state.workers)}; they load, or fail to: the server's log says which")
    return Verdict(True, {"status": "ready", **_counts(history)})


def live(history: WorkerHistory, now: float, *, limits: Limits) -> Verdict:
    """Whether it makes sense to wait: TorchServe answers, and a worker was ready lately or may still be starting."""
    silent = now - history.answered_at
    if silent > (limits.silent if history.was_answered else limits.first_start):
        return _bad("NoManagement", f"TorchServe has not answered for {silent:.0f} s; start it again")
    without = now - history.ready_at
    if without > (limits.not_ready if history.was_ready else limits.first_start):
        return _bad(
            "CrashLoop",
            f"no worker has been ready for {without:.0f} s, after {history.restarts} restarts; the log says why",
        )
    return Verdict(True, {"status": "live", **_counts(history)})


def _counts(history: WorkerHistory) -> dict[str, int]:
    state = history.state
    workers, ready_ones, queued = (len(state.workers), state.ready, state.queued) if state else (0, 0, 0)
    return {"workers": workers, "ready_workers": ready_ones, "queued": queued, "restarts": history.restarts}


def _bad(kind: str, message: str) -> Verdict:
    return Verdict(False, {"code": 503, "type": kind, "message": message})
