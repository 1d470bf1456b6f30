"""How much time and memory one input may take."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["MAX_GROWTH", "MAX_SECONDS", "Exceeded", "bounded", "limit_address_space"]

MAX_SECONDS = 2.0
"""Of processor time, since other processes may run beside."""
MAX_GROWTH = 512 * 2**20
"""Bytes of memory at the peak, above those before the input."""
# Beyond it an allocation fails instead of filling the machine: what is reserved but never written is no fault.
ADDRESS_SPACE = 4 * 2**30
OWN = Path("/proc/self")
RESET_PEAK = "5"


class Exceeded(Exception):
    """An input takes too much time or memory."""


@contextmanager
def bounded() -> Iterator[None]:
    """Watches the code that runs in it.

    Raises:
        Exceeded: It took more than MAX_SECONDS or MAX_GROWTH.
    """
    (OWN / "clear_refs").write_text(RESET_PEAK)
    memory, start = _peak_bytes(), time.process_time()
    yield
    seconds = time.process_time() - start
    if seconds > MAX_SECONDS:
        raise Exceeded(f"{seconds:.1f} s of processor time, more than {MAX_SECONDS}")
    growth = _peak_bytes() - memory
    if growth > MAX_GROWTH:
        raise Exceeded(f"{growth / 2**20:.0f} MiB at the peak, more than {MAX_GROWTH / 2**20:.0f}")


def limit_address_space() -> None:
    """Lets allocations fail that are far beyond MAX_GROWTH."""
    pages = int((OWN / "statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + ADDRESS_SPACE
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _peak_bytes() -> int:
    """The most memory that this process had since its peak was reset."""
    lines = (OWN / "status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
