"""Kills of workers, and how soon there were answers again."""

import os
import random
import signal
import time

from resformer.scripts.hostile.raw_exchange import Target
from resformer.scripts.soak.clients import Content, Tally, ask_until_right
from resformer.scripts.soak.workload import Request
from resformer.scripts.torchserve.server import Server

__all__ = ["kill_a_worker", "kill_workers", "ready_workers"]


def ready_workers(server: Server) -> list[int]:
    """The processes of the workers that answer."""
    return [worker["pid"] for worker in server.workers() if worker["status"] == "READY" and worker["pid"] > 0]


def kill_a_worker(server: Server, choice: random.Random) -> int | None:
    """Kills one that is ready with SIGKILL and returns its process, None where there is none."""
    ready = ready_workers(server)
    if not ready:
        return None
    pid = choice.choice(ready)
    os.kill(pid, signal.SIGKILL)
    return pid


def kill_workers(
    server: Server,
    target: Target,
    ordinary: Request,
    right: Content,
    tally: Tally,
    *,
    every: float,
    end: float,
    seed: int,
) -> list[float]:
    """Kills a worker every so many seconds, until a time of time.monotonic.

    Returns:
        After each kill, the seconds until a request that was sent then had its answer.
    """
    choice = random.Random(seed)
    recovered = []
    due = time.monotonic() + every
    while due < end:
        time.sleep(max(0.0, due - time.monotonic()))
        due += every
        if kill_a_worker(server, choice) is None:
            continue
        killed = time.monotonic()
        ask_until_right(target, ordinary, right, tally)
        recovered.append(time.monotonic() - killed)
    return recovered
