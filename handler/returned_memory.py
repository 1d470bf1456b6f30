"""Gives memory back that a large photo took: the allocator of the C library keeps it in pieces otherwise."""

import ctypes
import mmap
from collections.abc import Callable
from pathlib import Path

__all__ = ["ReturnedMemory"]

ALLOWED_BYTES = 64 << 20
PAGE_BYTES = mmap.PAGESIZE
STATM = Path("/proc/self/statm")


class ReturnedMemory:
    """Keeps the memory of a process near what it has when nothing is asked.

    Giving back takes some 20 ms after a photo of many megapixels; after an ordinary one nothing is done.

    Args:
        trim: Gives free memory back to the system; None is that of glibc, or nothing where the library is another.
    """

    def __init__(self, trim: Callable[[], object] | None = None):
        self._trim = trim or _glibc_trim()
        self._usual = resident_bytes()

    def give_back(self) -> None:
        """Gives free memory back where the process has much more than usual."""
        if self._trim is not None and resident_bytes() > self._usual + ALLOWED_BYTES:
            self._trim()
            # What stays is needed, such as a reader that was loaded since.
            self._usual = max(self._usual, resident_bytes())


def resident_bytes() -> int:
    """Memory that this process has in RAM."""
    return int(STATM.read_text().split()[1]) * PAGE_BYTES


def _glibc_trim() -> Callable[[], object] | None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return (lambda: trim(0)) if trim else None
