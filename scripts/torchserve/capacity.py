"""How many workers this machine carries."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from resformer.handler.threads import available_cores

__all__ = ["available_bytes", "check_capacity", "resident_bytes"]

CGROUP = Path("/sys/fs/cgroup")
# Of a worker that is not running yet.
WORKER_BYTES = 1 << 30


def resident_bytes(pid: int) -> int:
    """Memory of a process; 0 where there is none. TorchServe's own figure needs a collector that is turned off."""
    try:
        return int(psutil.Process(pid).memory_info().rss) if pid > 0 else 0
    except psutil.Error:
        return 0


def available_bytes(cgroup: Path = CGROUP) -> int:
    """Memory that new processes can have: of the machine, and in a container no more than it has left."""
    available = int(psutil.virtual_memory().available)
    limit, current = cgroup / "memory.max", cgroup / "memory.current"
    if limit.is_file() and current.is_file() and (text := limit.read_text().strip()) != "max":
        available = min(available, int(text) - int(current.read_text()) + _reclaimable(cgroup / "memory.stat"))
    return max(0, available)


def _reclaimable(stat: Path) -> int:
    """Bytes of files that a container has read, which make room for its processes."""
    lines = stat.read_text().splitlines() if stat.is_file() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("inactive_file ")), 0)


def check_capacity(wanted: int, workers: Sequence[Mapping[str, Any]]) -> None:
    """Refuses a number of workers that the machine does not carry.

    Args:
        wanted: How many there shall be.
        workers: Those that there are, as Server.workers describes them.

    Raises:
        ValueError: There are too few cores, or too little memory; the message has the numbers.
    """
    if wanted < 1:
        raise ValueError(f"{wanted} workers cannot serve; scale to 1 or more, or stop the server")
    if wanted <= len(workers):
        return
    cores, free = available_cores(), available_bytes()
    each = max((resident_bytes(worker["pid"]) for worker in workers), default=0) or WORKER_BYTES
    possible = min(cores, len(workers) + free // each)
    if wanted > possible:
        raise ValueError(
            f"{wanted} workers are too many for this machine: it has {cores} cores, one for each worker, and "
            f"{free / 2**30:.1f} GiB of free memory, {each / 2**30:.1f} GiB for each further worker; "
            f"scale to {max(possible, len(workers), 1)} at most"
        )
