"""How many worker processes pay, and how many threads each has."""

from typing import NamedTuple

from resformer.handler.threads import available_cores
from resformer.scripts.torchserve.capacity import available_bytes

__all__ = ["WorkerPlan", "plan_workers"]

WORKER_BYTES = 1 << 30
"""What a worker takes while it answers, with room for a large photo."""


class WorkerPlan(NamedTuple):
    """Processes, and threads of each."""

    workers: int
    threads: int


def plan_workers(
    photos: int,
    *,
    workers: int | None = None,
    device: str = "cpu",
    cores: int | None = None,
    memory: int | None = None,
) -> WorkerPlan:
    """A process with one thread for each core, as `resformer benchmark scoring` shows to be fastest.

    Fewer where memory does not suffice, which then have several threads each, and no more than there are photos.

    Args:
        photos: That are to be answered.
        workers: Processes, if a person chose.
        device: Where networks compute; a GPU has one worker.
        cores, memory: Cores, and bytes of free memory; None are this machine's.
    """
    cores = available_cores() if cores is None else cores
    if workers is None and device != "cpu":
        workers = 1
    elif workers is None:
        memory = available_bytes() if memory is None else memory
        workers = max(1, min(cores, memory // WORKER_BYTES, photos))
    return WorkerPlan(workers, max(1, cores // workers))
